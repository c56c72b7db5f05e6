/** Keeps each order that is about to be sent in a file of its own, durable before the order is, so that no crash makes one be forgotten or sent twice. */
import { appendFile, link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkDurationMs } from '../../checks.js';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigurationError, messageOf, systemCodeOf } from '../../errors.js';
import { hostIdentity } from '../../host.js';
import { isolatedLogger, type Logger } from '../../logger.js';
import type { IntentKind } from '../../permission.js';
import { type Random, systemRandom } from '../../random.js';
import { DEFAULT_SEND_WITHIN_MS } from '../options.js';
import type { SubmissionOutcome } from '../protocol.js';
import { fileNameOf, type Intent, intentLine, outcomeLine, parseIntentFile } from './intentFile.js';

export interface IntentLogOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Told of outcomes that could not be written. Default: silent. */
  readonly logger?: Logger;
  /** An intent that is older than this when it could be sent is not sent. Default 2,000 ms. */
  readonly sendWithinMs?: number;
  /** Names files that nobody reads. Default: the system's generator. */
  readonly random?: Random;
}

export type BeginResult =
  | { readonly kind: 'durable'; readonly intent: Intent }
  /** This id was to be sent before, by whomever. */
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'failed'; readonly detail: string };

export interface StoredIntents {
  readonly unresolved: readonly Intent[];
  /** Files that say nothing any more: to be looked at by a person. */
  readonly corrupt: readonly string[];
}

export class IntentLog {
  readonly directory: string;
  readonly sendWithinMs: number;
  readonly clock: Clock;
  readonly #logger: Logger;
  readonly #random: Random;
  readonly #running = new Set<string>();
  #ready: Promise<void> | undefined;

  /** Throws {@link ConfigurationError} for a directory that is no text, or a time that cannot hold. Touches no disk. */
  constructor(directory: string, options: IntentLogOptions = {}) {
    const { clock = systemClock, logger, sendWithinMs = DEFAULT_SEND_WITHIN_MS, random = systemRandom } = options;
    const given: unknown = directory;
    if (typeof given !== 'string' || given.trim() === '' || given.includes('\0'))
      throw new ConfigurationError('intentLog.directory', given, 'must be the path of a directory');
    this.directory = resolve(given);
    this.clock = clock;
    this.sendWithinMs = checkDurationMs('intentLog.sendWithinMs', sendWithinMs, { min: 1 });
    this.#logger = isolatedLogger(logger);
    this.#random = random;
  }

  /** Resolves when the intent outlives the host. It never rejects, and of several with one id one alone is `durable`. */
  async begin(order: { clientOrderId: string; symbol: string; label: string; intent: IntentKind }): Promise<BeginResult> {
    const { bootId, pid } = hostIdentity();
    const intent: Intent = { ...order, writtenMs: this.clock.monotonicMs(), bootId, wallMs: this.clock.wallMs(), pid };
    try {
      await this.#prepare();
      if (!(await this.#store(intent))) return { kind: 'duplicate' };
    } catch (error) {
      return { kind: 'failed', detail: messageOf(error) };
    }
    this.#running.add(order.clientOrderId);
    return { kind: 'durable', intent };
  }

  /** Too old to be sent: whoever reconciles may have concluded already that it never will be. */
  isTooOld({ writtenMs }: Intent): boolean {
    return this.clock.monotonicMs() - writtenMs > this.sendWithinMs;
  }

  /** Records what became of it. It never rejects: an outcome that cannot be written is asked for again by the next reconciliation. */
  async end(clientOrderId: string, outcome: SubmissionOutcome, by: string): Promise<void> {
    try {
      await appendFile(this.#fileOf(clientOrderId), outcomeLine({ outcome, by, wallMs: this.clock.wallMs() }));
    } catch (error) {
      this.#logger.error({ clientOrderId, outcome, error: messageOf(error) }, 'the outcome of an intent could not be recorded');
    } finally {
      this.#running.delete(clientOrderId);
    }
  }

  /** Everything without an outcome that is not under way in this process. Rejects where the directory cannot be read. */
  async read(): Promise<StoredIntents> {
    await this.#prepare();
    const unresolved: Intent[] = [];
    const corrupt: string[] = [];
    for (const name of (await readdir(this.directory)).filter((file) => file.endsWith('.intent'))) {
      const record = parseIntentFile(await readFile(join(this.directory, name), 'utf8'));
      if (record.kind === 'corrupt') corrupt.push(name);
      else if (record.outcome === undefined && !this.#running.has(record.intent.clientOrderId)) unresolved.push(record.intent);
    }
    return { unresolved: unresolved.toSorted((a, b) => a.wallMs - b.wallMs), corrupt };
  }

  /** On the clock of this boot; an intent of an earlier boot is at least as old as the boot. */
  ageMs({ bootId, writtenMs }: Intent): number {
    const nowMs = this.clock.monotonicMs();
    return bootId === hostIdentity().bootId ? nowMs - writtenMs : nowMs;
  }

  #fileOf(clientOrderId: string): string {
    return join(this.directory, fileNameOf(clientOrderId));
  }

  #prepare(): Promise<void> {
    this.#ready ??= mkdir(this.directory, { recursive: true, mode: 0o700 }).then(() => undefined);
    // A directory that could not be made may be made later.
    this.#ready.catch(() => (this.#ready = undefined));
    return this.#ready;
  }

  /** Written whole and flushed under a name that nobody reads, then given its one possible name. False: it was given before. */
  async #store(intent: Intent): Promise<boolean> {
    const temporary = join(this.directory, `${this.#random.id()}.new`);
    try {
      await writeFlushed(temporary, intentLine(intent));
      await link(temporary, this.#fileOf(intent.clientOrderId));
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await unlink(temporary).catch((error: unknown) =>
        this.#logger.debug({ temporary, error: messageOf(error) }, 'a temporary file stays'),
      );
    }
    await flushDirectory(this.directory);
    return true;
  }
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
