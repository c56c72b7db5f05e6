/** Writes the record of transitions: in order, chained by hash, without ever failing its caller. */
import { type AppendOutcome, type Bus, isCommitted } from '../bus/bus.js';
import { type Clock, systemClock, type Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import { type HostIdentity, hostIdentity } from '../host.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { AUDIT, type AuditEntry, encodeAuditEntry } from '../messages/audit.js';
import { wellFormed } from '../messages/fields.js';
import { type Random, systemRandom } from '../random.js';
import { auditHash, lifeRoot } from './chain.js';

export interface AuditEvent {
  /** What happened, as `area.event`. */
  readonly event: string;
  /** Why, in words for an operator. */
  readonly cause: string;
  readonly incident?: string;
  /** Plain data. What cannot be written as JSON, or is too large, is replaced by a note that says so. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Audit {
  readonly actor: string;
  /**
   * Appends an entry behind all earlier ones of this actor. Never throws. The outcome is that of the first attempt; an entry
   * that was not committed stays first in line and is tried again until it is, so that the chain has no gap.
   */
  record(event: AuditEvent): Promise<AppendOutcome>;
  /** Appends that did not commit, retries included. */
  failures(): number;
  /** Entries not committed yet. */
  backlog(): number;
  /** Waits until the backlog is empty, at most `timeoutMs` (default 1,000). True: nothing is left. */
  flush(timeoutMs?: number): Promise<boolean>;
}

export interface AuditOptions {
  readonly bus: Pick<Bus, 'append'>;
  /** Who records: a role and an id, such as `watchdog:w1`. */
  readonly actor: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly random?: Random;
  /** Between attempts to append an entry that did not commit. Default 250 ms. */
  readonly retryMs?: number;
  /** Which process records. Default: what the operating system says. */
  readonly self?: HostIdentity;
}

/** Beyond this many waiting entries the oldest are lost: the gap then shows in the chain, and in `failures()`. */
export const AUDIT_BACKLOG_MAX = 10_000;
/** A record must stay under 64 KB on the bus. */
export const AUDIT_DETAILS_MAX_CHARACTERS = 16_000;
const AUDIT_TEXT_MAX_CHARACTERS = 2_000;
const DEFAULT_RETRY_MS = 250;
const DEFAULT_FLUSH_MS = 1_000;

interface Waiting {
  readonly entry: AuditEntry;
  answer: ((outcome: AppendOutcome) => void) | undefined;
}

function plainDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    const text = JSON.stringify(details);
    if (text.length > AUDIT_DETAILS_MAX_CHARACTERS) return { omitted: `details of ${text.length} characters` };
    const plain: unknown = JSON.parse(text);
    return typeof plain === 'object' && plain !== null ? { ...plain } : {};
  } catch (error) {
    return { omitted: `details that are not plain data: ${messageOf(error)}` };
  }
}

function bounded(text: string, instead: string): string {
  const trimmed = text.trim();
  return trimmed === '' ? instead : wellFormed(trimmed.slice(0, AUDIT_TEXT_MAX_CHARACTERS));
}

// What happened is on record all the same, at a time that is visibly none.
function readingOf(read: () => number): number {
  try {
    const reading = read();
    return Number.isFinite(reading) ? reading : 0;
  } catch {
    return 0;
  }
}

class ChainedAudit implements Audit {
  readonly actor: string;
  readonly #bus: Pick<Bus, 'append'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #retryMs: number;
  readonly #self: HostIdentity;
  readonly #writer: string;
  readonly #waiting: Waiting[] = [];
  #sequence = 0;
  #previousHash: string;
  #failures = 0;
  #working = false;
  #retry: Timer | undefined;

  constructor(options: AuditOptions) {
    this.actor = bounded(options.actor, 'unnamed');
    this.#bus = options.bus;
    this.#clock = options.clock ?? systemClock;
    this.#logger = isolatedLogger(options.logger);
    this.#retryMs = options.retryMs ?? DEFAULT_RETRY_MS;
    this.#self = options.self ?? hostIdentity();
    const lifeId = (options.random ?? systemRandom).id();
    this.#writer = `${this.actor}/${lifeId}`;
    this.#previousHash = lifeRoot(this.actor, lifeId);
  }

  failures(): number {
    return this.#failures;
  }

  backlog(): number {
    return this.#waiting.length;
  }

  record(event: AuditEvent): Promise<AppendOutcome> {
    const entry = this.#chain(event);
    return new Promise((resolve) => {
      this.#waiting.push({ entry, answer: resolve });
      if (this.#waiting.length > AUDIT_BACKLOG_MAX) this.#dropOldest();
      void this.#work();
    });
  }

  async flush(timeoutMs = DEFAULT_FLUSH_MS): Promise<boolean> {
    const untilMs = this.#clock.monotonicMs() + timeoutMs;
    while (this.#waiting.length > 0 && this.#clock.monotonicMs() < untilMs) await this.#clock.sleep(Math.min(10, timeoutMs));
    return this.#waiting.length === 0;
  }

  #chain(event: AuditEvent): AuditEntry {
    const incident = event.incident?.trim();
    const content = {
      event: bounded(event.event, 'unnamed.event'),
      actor: this.actor,
      cause: bounded(event.cause, 'no cause given'),
      ...(incident === undefined || incident === '' ? {} : { incident }),
      details: plainDetails(event.details ?? {}),
      wallMs: Math.max(0, Math.round(readingOf(() => this.#clock.wallMs()))),
      monotonicMs: readingOf(() => this.#clock.monotonicMs()),
      bootId: this.#self.bootId,
      sequence: this.#sequence,
      previousHash: this.#previousHash,
    };
    const entry = { ...content, hash: auditHash(content) };
    this.#sequence += 1;
    this.#previousHash = entry.hash;
    return entry;
  }

  #dropOldest(): void {
    const lost = this.#waiting.shift();
    if (lost === undefined) return;
    this.#failures += 1;
    this.#logger.error({ event: lost.entry.event, sequence: lost.entry.sequence }, 'audit backlog is full: an entry is lost');
    lost.answer?.({ outcome: 'refused', reason: 'unavailable', detail: 'the audit backlog is full' });
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    // One retry in line, however many entries were recorded in an outage.
    this.#retry?.cancel();
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const outcome = await this.#append(first.entry);
      const settled = isCommitted(outcome);
      if (settled && this.#waiting[0] === first) this.#waiting.shift();
      if (!settled) this.#failed(first, outcome);
      this.#answer(settled ? [first] : this.#waiting, outcome);
      if (!settled) {
        this.#retryLater();
        break;
      }
    }
    this.#working = false;
  }

  #retryLater(): void {
    try {
      this.#retry = this.#clock.setTimer(this.#retryMs, () => void this.#work(), { keepAlive: false });
    } catch (error) {
      // The next record tries again; a clock that fails must not end a process by way of its records.
      this.#logger.error({ error: messageOf(error) }, 'no timer can be set to retry an audit entry');
    }
  }

  // Without an idempotency key, which costs a bus several times the append: an entry of unknown fate may so be written twice,
  // and its hash tells that it is the same one.
  async #append(entry: AuditEntry): Promise<AppendOutcome> {
    try {
      return await this.#bus.append(AUDIT, encodeAuditEntry(entry), { key: this.#writer });
    } catch (error) {
      return { outcome: 'unknown', detail: messageOf(error) };
    }
  }

  #failed(waiting: Waiting, outcome: AppendOutcome): void {
    this.#failures += 1;
    this.#logger.warn({ event: waiting.entry.event, sequence: waiting.entry.sequence, outcome }, 'audit entry not committed yet');
  }

  #answer(entries: readonly Waiting[], outcome: AppendOutcome): void {
    for (const waiting of entries) {
      waiting.answer?.(outcome);
      waiting.answer = undefined;
    }
  }
}

/** The record keeper of one actor's life. */
export function createAudit(options: AuditOptions): Audit {
  return new ChainedAudit(options);
}
