/** Keeps each order that is about to be sent in a file of its own, durable before the order is, so that no crash makes one be forgotten or sent twice. */
import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { checkDurationMs } from '../../checks.js';
import { type Clock, systemClock } from '../../clock.js';
import { settleWithin } from '../../deadline.js';
import { flushDirectory } from '../../durableFile.js';
import { ConfigurationError, messageOf, systemCodeOf } from '../../errors.js';
import { hostIdentity } from '../../host.js';
import { isolatedLogger, type Logger } from '../../logger.js';
import { type Random, systemRandom } from '../../random.js';
import { DEFAULT_SEND_WITHIN_MS } from '../options.js';
import type { SubmissionOutcome } from '../protocol.js';
import { fileNameOf, type Intent, type IntentRecord, intentLine, outcomeLine, parseIntentFile } from './intentFile.js';
import { isSamePlace, type Place, placeOf } from './place.js';

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

export type NewIntent = Pick<Intent, 'clientOrderId' | 'symbol' | 'label' | 'intent'>;

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

/** Most of a read is waiting: one file after the other, ten thousand take two seconds. */
const READ_AT_ONCE = 32;

/** No writer needs its temporary file for so long, nor does the wall clock step so far. */
const LEFT_BEHIND_AFTER_MS = 600_000;

export class IntentLog {
  readonly directory: string;
  readonly sendWithinMs: number;
  readonly clock: Clock;
  readonly #logger: Logger;
  readonly #random: Random;
  readonly #flush: (path: string) => Promise<void>;
  readonly #running = new Set<string>();
  #ready: Promise<void> | undefined;
  /** Where the first intent was kept. */
  #place: Place | undefined;
  /** The first of the directories that were made and may not outlive the host yet. */
  #outermostMade: string | undefined;

  /** Throws {@link ConfigurationError} for a directory that is no text, or a time that cannot hold. Touches no disk. */
  constructor(directory: string, options: IntentLogOptions = {}, flush = flushDirectory) {
    const { clock = systemClock, logger, sendWithinMs = DEFAULT_SEND_WITHIN_MS, random = systemRandom } = options;
    const given: unknown = directory;
    if (typeof given !== 'string' || given.trim() === '' || given.includes('\0'))
      throw new ConfigurationError('intentLog.directory', given, 'must be the path of a directory');
    this.directory = resolve(given);
    this.clock = clock;
    this.sendWithinMs = checkDurationMs('intentLog.sendWithinMs', sendWithinMs, { min: 1 });
    this.#logger = isolatedLogger(logger);
    this.#random = random;
    this.#flush = flush;
  }

  /**
   * Resolves when the intent outlives the host, or `failed` after `sendWithinMs`, when it would be too old to be sent. It never rejects, and
   * of several with one id one alone is `durable`.
   */
  async begin(order: NewIntent): Promise<BeginResult> {
    const keeping = this.#keep(order);
    const detail = await this.#whyStillAtWork(keeping);
    if (detail === undefined) return keeping;
    // It is not sent any more: whatever the disk keeps of it after all.
    void keeping.then((late) => (late.kind === 'durable' ? this.end(order.clientOrderId, 'refused', 'guard') : undefined));
    return { kind: 'failed', detail };
  }

  async #keep(order: NewIntent): Promise<BeginResult> {
    try {
      const intent = this.#intentOf(order);
      await this.#prepare();
      if (!(await this.#store(intent))) return { kind: 'duplicate' };
      this.#running.add(order.clientOrderId);
      return { kind: 'durable', intent };
    } catch (error) {
      return { kind: 'failed', detail: messageOf(error) };
    }
  }

  /**
   * Too old to be sent, on either clock, as the monotonic one stands still in a suspended host: whoever reconciles may have concluded
   * already that it never will be. Written so that a reading that is no number, or from before it was written, is too old.
   */
  isTooOld({ writtenMs, wallMs }: Intent): boolean {
    const ageMs = this.clock.monotonicMs() - writtenMs;
    return !(ageMs >= 0 && ageMs <= this.sendWithinMs && this.clock.wallMs() - wallMs <= this.sendWithinMs);
  }

  /**
   * Records what became of it. It never rejects: an outcome that cannot be written is asked for again by the next reconciliation. It takes
   * no longer than `sendWithinMs`: whoever waits for the answer of the venue has it, whatever the disk does.
   */
  async end(clientOrderId: string, outcome: SubmissionOutcome, by: string): Promise<void> {
    const why = await this.#whyStillAtWork(this.#record(clientOrderId, outcome, by));
    if (why !== undefined) this.#logger.error({ clientOrderId, outcome, why }, 'the outcome of an intent is not recorded yet');
  }

  async #record(clientOrderId: string, outcome: SubmissionOutcome, by: string): Promise<void> {
    try {
      await append(this.#fileOf(clientOrderId), outcomeLine({ outcome, by, wallMs: this.clock.wallMs() }));
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
    const files = await readdir(this.directory);
    await this.#removeLeftovers(files.filter((file) => file.endsWith('.new')));
    const names = files.filter((file) => file.endsWith('.intent'));
    for (let at = 0; at < names.length; at += READ_AT_ONCE) {
      const together = names.slice(at, at + READ_AT_ONCE).map(async (name) => ({ name, record: await this.#recordOf(name) }));
      for (const { name, record } of await Promise.all(together)) {
        if (record.kind === 'corrupt') corrupt.push(name);
        else if (record.outcome === undefined && !this.#running.has(record.intent.clientOrderId)) unresolved.push(record.intent);
      }
    }
    return { unresolved: unresolved.toSorted((a, b) => a.wallMs - b.wallMs), corrupt };
  }

  /**
   * On the clock of this boot. An intent of an earlier boot is at least as old as this one; but it may be of another host, from which
   * the disk was moved here, and then only the wall clock says something.
   */
  ageMs({ bootId, writtenMs, wallMs }: Intent): number {
    const nowMs = this.clock.monotonicMs();
    return bootId === hostIdentity().bootId ? nowMs - writtenMs : Math.min(nowMs, this.clock.wallMs() - wallMs);
  }

  /** A disk may hang for ever. Undefined: the work is done. */
  async #whyStillAtWork(work: Promise<unknown>): Promise<string | undefined> {
    try {
      const { settled } = await settleWithin(this.clock, work, this.sendWithinMs);
      return settled ? undefined : `the disk has not answered within ${this.sendWithinMs} ms`;
    } catch (error) {
      return `nobody can wait for the disk: ${messageOf(error)}`;
    }
  }

  // Left behind by a writer that was killed. One that is alive finds its file gone, and sends nothing.
  async #removeLeftovers(files: readonly string[]): Promise<void> {
    for (const name of files) {
      const path = join(this.directory, name);
      try {
        if (this.clock.wallMs() - (await stat(path)).mtimeMs > LEFT_BEHIND_AFTER_MS) await unlink(path);
      } catch (error) {
        this.#logger.debug({ path, error: messageOf(error) }, 'a temporary file stays');
      }
    }
  }

  #intentOf(order: NewIntent): Intent {
    const { bootId, pid } = hostIdentity();
    const [writtenMs, wallMs] = [this.clock.monotonicMs(), this.clock.wallMs()];
    if (!Number.isFinite(writtenMs) || !Number.isFinite(wallMs)) throw new Error(`the clocks read ${writtenMs} and ${wallMs}`);
    return { ...order, writtenMs, bootId, sendWithinMs: this.sendWithinMs, wallMs, pid };
  }

  // One that cannot be read keeps nobody from asking for the others.
  async #recordOf(name: string): Promise<IntentRecord> {
    try {
      return parseIntentFile(await readFile(join(this.directory, name), 'utf8'));
    } catch (error) {
      this.#logger.error({ name, error: messageOf(error) }, 'an intent cannot be read');
      return { kind: 'corrupt' };
    }
  }

  #fileOf(clientOrderId: string): string {
    return join(this.directory, fileNameOf(clientOrderId));
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#makeDirectory();
    // A directory that could not be made may be made later.
    this.#ready.catch(() => (this.#ready = undefined));
    return this.#ready;
  }

  /** Resolves when the directory outlives the host: each one that was made stands in its parent. */
  async #makeDirectory(): Promise<void> {
    const first = await mkdir(this.directory, { recursive: true, mode: 0o700 });
    this.#outermostMade ??= first;
    const { length } = this.#outermostMade ?? `${this.directory}/`;
    for (let made = this.directory; made.length >= length; made = dirname(made)) await this.#flush(dirname(made));
    this.#outermostMade = undefined;
  }

  // Another directory of that name knows of no order that was sent before.
  async #checkPlace(): Promise<void> {
    const now = await placeOf(this.directory);
    this.#place ??= now;
    if (!isSamePlace(this.#place, now))
      throw new Error(`${this.directory} is another directory than it was: what has been sent is forgotten there`);
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
    await this.#flush(this.directory);
    await this.#checkPlace();
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

/** Only to a file that is there: an outcome without its intent says nothing. */
async function append(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    await file.appendFile(text);
  } finally {
    await file.close();
  }
}
