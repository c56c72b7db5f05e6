/** Holds the stop flag, the count of orders in flight and the list of unknown outcomes of one gate. */
import type { Clock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import { isolatedLogger, type Logger, tellAll } from '../logger.js';
import type { Refusal } from '../permission.js';
import {
  BROKER_MARGIN_MS,
  type DrainReport,
  type ExitPermit,
  type GateEntry,
  type GateProtocol,
  type GateStatus,
  PROTOCOL_VERSION,
  type ResolveResult,
  type SubmissionOutcome,
  type UnfinishedEntry,
  type UnfinishedState,
} from './protocol.js';
import { CLOSER_AT_WORK, type SharedGate } from './sharedGate.js';

export interface RegisterOptions {
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  /** Flag and count that gates of other threads share. */
  readonly shared?: SharedGate | undefined;
}

// How soon a thread that sends nothing, and one that waits for others, hears of them; the door itself reads the flag each time.
const SHARED_POLL_MS = 20;

// The entries in flight form a ring through the register's own head, the oldest first: joining and leaving it costs a few
// stores, where a map would rehash as orders come and go.
class Entry implements GateEntry {
  state: UnfinishedState | 'settled' = 'in_flight';
  previous: Entry = this;
  next: Entry = this;

  constructor(
    readonly entryId: number,
    readonly label: string,
    readonly enteredMs: number,
  ) {}
}

export const GATE_NAME = 'shutdown_gate';

/** The state behind one gate. Every method is synchronous except the wait. */
export class SubmissionRegister implements GateProtocol {
  readonly version = PROTOCOL_VERSION;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ring = new Entry(0, '', 0);
  #inflight = 0;
  readonly #unknown = new Map<number, Entry>();
  readonly #waiters = new Set<() => void>();
  readonly #resolveListeners: ((entryId: number, outcome: SubmissionOutcome) => void)[] = [];
  readonly #exitPermits = new Set<ExitPermit>();
  /** Made when somebody asks for its signal: few do, and it is a tenth of what an import of this package costs. */
  #controller: AbortController | undefined;
  #lastEntryId = 0;
  #request: (Refusal & { readonly sinceWallMs: number }) | undefined;
  #longestBrokerTimeoutMs: number | undefined;
  readonly #brokerLimitsMs = new Map<object, number>();
  #promisedDrainMs: number | undefined;
  readonly #shared: SharedGate | undefined;
  #isListening = false;

  constructor({ clock, logger, shared }: RegisterOptions) {
    this.#clock = clock;
    this.#logger = isolatedLogger(logger);
    this.#shared = shared;
  }

  requested(): boolean {
    return this.refusal() !== undefined;
  }

  refusal(): Refusal | undefined {
    if (this.#shared === undefined || this.#request !== undefined) return this.#request;
    const request = this.#shared.request();
    if (request === undefined) return undefined;
    if (request === CLOSER_AT_WORK) return { code: 'shutdown_requested', source: GATE_NAME, reason: request.reason };
    this.#shut(request.reason, request.sinceWallMs);
    return this.#request;
  }

  signal(): AbortSignal {
    if (this.#shared !== undefined && !this.#isListening) {
      this.#isListening = true;
      this.#listen();
    }
    this.#controller ??= new AbortController();
    this.#abortIfRequested();
    return this.#controller.signal;
  }

  #abortIfRequested(): void {
    if (this.#request === undefined || this.#controller?.signal.aborted !== false) return;
    this.#controller.abort(new DOMException(this.#request.reason, 'AbortError'));
  }

  #listen(): void {
    if (this.refusal() !== undefined && this.#request !== undefined) return;
    this.#clock.setTimer(SHARED_POLL_MS, () => this.#listen(), { keepAlive: false });
  }

  inflight(): number {
    return this.#inflight;
  }

  unknownOutcomes(): number {
    return this.#unknown.size;
  }

  status(): GateStatus {
    const oldest = this.#ring.next;
    return {
      requested: this.requested(),
      reason: this.#request?.reason,
      sinceWallMs: this.#request?.sinceWallMs,
      inflight: this.#inflight,
      unknownOutcomes: this.#unknown.size,
      oldestInflightAgeMs: oldest === this.#ring ? undefined : this.#monotonicMsIfAny() - oldest.enteredMs,
      longestBrokerTimeoutMs: this.#longestBrokerTimeoutMs,
    };
  }

  requestShutdown(reason: string): void {
    if (this.#request !== undefined) return;
    const sinceWallMs = this.#wallMsForPeople();
    if (this.#shared === undefined) return this.#shut(reason, sinceWallMs);
    this.#shared.close({ reason, sinceWallMs });
    // Another closer's words come first; one that never wrote them must not keep this thread from its own shutdown.
    if (this.refusal() === undefined || this.#request === undefined) this.#shut(reason, sinceWallMs);
  }

  // A drain is over when the last order has ended, and what is left is told, also where nobody can say how long it took.
  #monotonicMsIfAny(): number {
    try {
      return this.#clock.monotonicMs();
    } catch {
      return Number.NaN;
    }
  }

  // A clock that fails must not keep the gate open.
  #wallMsForPeople(): number {
    try {
      return this.#clock.wallMs();
    } catch {
      return 0;
    }
  }

  #shut(reason: string, sinceWallMs: number): void {
    // The flag comes first: whatever the logger or a listener of the signal does, the door is shut by then.
    this.#request = { code: 'shutdown_requested', source: GATE_NAME, reason, sinceWallMs };
    this.#abortIfRequested();
    this.#logger.warn({ reason, inflight: this.#inflight }, 'shutdown requested: no further order is admitted');
  }

  issueExitPermit(): ExitPermit {
    const permit: ExitPermit = Object.freeze({ 'failflat.exitPermit': true });
    this.adoptExitPermit(permit);
    return permit;
  }

  adoptExitPermit(permit: ExitPermit): void {
    this.#exitPermits.add(permit);
  }

  revokeExitPermit(permit: ExitPermit): void {
    this.#exitPermits.delete(permit);
  }

  honours(permit: ExitPermit): boolean {
    return this.#exitPermits.has(permit);
  }

  enter(label: string, nowMs: number, exitPermit?: ExitPermit): GateEntry | undefined {
    // Counted in first, and then the flag is read: a closer in another thread sees this order, or it is not sent.
    this.#shared?.countIn();
    if (this.refusal() !== undefined && (exitPermit === undefined || !this.honours(exitPermit))) {
      this.#shared?.countOut();
      return undefined;
    }
    const entry = new Entry(++this.#lastEntryId, label, nowMs);
    const youngest = this.#ring.previous;
    entry.previous = youngest;
    entry.next = this.#ring;
    youngest.next = entry;
    this.#ring.previous = entry;
    this.#inflight += 1;
    return entry;
  }

  markTimedOut(entry: GateEntry): void {
    if (entry instanceof Entry && entry.state === 'in_flight') entry.state = 'timed_out';
  }

  settle(entry: GateEntry, outcome: SubmissionOutcome): void {
    if (!(entry instanceof Entry) || entry.state === 'settled' || entry.state === 'unknown') return;
    entry.previous.next = entry.next;
    entry.next.previous = entry.previous;
    this.#inflight -= 1;
    this.#shared?.countOut();
    entry.state = outcome === 'unknown' ? 'unknown' : 'settled';
    if (outcome === 'unknown') this.#keepAsUnknown(entry);
    if (this.#inflight === 0 && this.#waiters.size > 0) for (const wake of [...this.#waiters]) wake();
  }

  #keepAsUnknown(entry: Entry): void {
    const { entryId, label } = entry;
    this.#unknown.set(entryId, entry);
    this.#logger.warn({ entryId, label }, 'the outcome of an order is unknown until it is resolved');
  }

  resolve(entryId: number, outcome: SubmissionOutcome, by: string): ResolveResult {
    for (let entry = this.#ring.next; entry !== this.#ring; entry = entry.next) if (entry.entryId === entryId) return 'in_flight';
    const entry = this.#unknown.get(entryId);
    if (entry === undefined || outcome === 'unknown') return 'not_found';
    this.#unknown.delete(entryId);
    entry.state = 'settled';
    this.#logger.info({ entryId, label: entry.label, outcome, by }, 'the outcome of an order was resolved');
    tellAll(this.#resolveListeners, entryId, outcome);
    return 'resolved';
  }

  onResolved(listener: (entryId: number, outcome: SubmissionOutcome) => void): void {
    this.#resolveListeners.push(listener);
  }

  waitForInflightZero(timeoutMs: number): Promise<DrainReport> {
    const startedMs = this.#monotonicMsIfAny();
    if (this.#drained() || timeoutMs === 0) return Promise.resolve(this.#report(startedMs));
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#waiters.delete(wake);
        resolve(this.#report(startedMs));
      };
      const wake = (): void => {
        if (this.#drained()) finish();
      };
      // Keeps the process alive on purpose: a drain on a bare promise lets the process exit with status 0 in mid-drain.
      const timer = this.#clock.setTimer(timeoutMs, finish, { keepAlive: true });
      this.#waiters.add(wake);
      this.#pollOtherThreads(wake);
    });
  }

  // Nobody wakes this thread when an order of another one ends.
  #pollOtherThreads(wake: () => void): void {
    if (this.#shared === undefined || !this.#waiters.has(wake)) return;
    wake();
    this.#clock.setTimer(SHARED_POLL_MS, () => this.#pollOtherThreads(wake), { keepAlive: false });
  }

  #elsewhere(): number {
    return this.#shared === undefined ? 0 : Math.max(0, this.#shared.count() - this.#inflight);
  }

  #drained(): boolean {
    return this.#inflight === 0 && this.#elsewhere() === 0;
  }

  coverBrokerTimeout(brokerTimeoutMs: number): void {
    const drainMs = this.#promisedDrainMs;
    if (drainMs !== undefined && brokerTimeoutMs + BROKER_MARGIN_MS > drainMs) {
      const bound = `must be at most ${drainMs - BROKER_MARGIN_MS}: a shutdown drains for ${drainMs} ms, and needs ${BROKER_MARGIN_MS} ms of them`;
      throw new ConfigurationError('brokerTimeoutMs', brokerTimeoutMs, bound);
    }
    const limitMs = Math.min(...this.#brokerLimitsMs.values());
    if (brokerTimeoutMs > limitMs) {
      const bound = `must be at most ${limitMs}: a trading lease over this gate has registered calls of no more`;
      throw new ConfigurationError('brokerTimeoutMs', brokerTimeoutMs, bound);
    }
    this.#longestBrokerTimeoutMs = Math.max(this.#longestBrokerTimeoutMs ?? 0, brokerTimeoutMs);
  }

  limitBrokerTimeout(holder: object, limitMs: number | undefined): void {
    if (limitMs === undefined) this.#brokerLimitsMs.delete(holder);
    else this.#brokerLimitsMs.set(holder, limitMs);
  }

  promiseDrain(drainTimeoutMs: number | undefined): void {
    const brokerMs = this.#longestBrokerTimeoutMs;
    if (drainTimeoutMs !== undefined && brokerMs !== undefined && drainTimeoutMs < brokerMs + BROKER_MARGIN_MS) {
      const bound = `must be at least ${brokerMs + BROKER_MARGIN_MS}: a broker call may take ${brokerMs} ms, and ${BROKER_MARGIN_MS} ms are needed besides`;
      throw new ConfigurationError('drainTimeoutMs', drainTimeoutMs, bound);
    }
    this.#promisedDrainMs = drainTimeoutMs;
  }

  unfinished(): readonly UnfinishedEntry[] {
    return this.#unfinishedAt(this.#monotonicMsIfAny());
  }

  #report(startedMs: number): DrainReport {
    const nowMs = this.#monotonicMsIfAny();
    const inflightElsewhere = this.#elsewhere();
    return { drained: this.#drained(), waitedMs: nowMs - startedMs, unfinished: this.#unfinishedAt(nowMs), inflightElsewhere };
  }

  #unfinishedAt(nowMs: number): readonly UnfinishedEntry[] {
    const unfinished: UnfinishedEntry[] = [];
    const add = ({ entryId, label, enteredMs, state }: Entry): void => {
      if (state !== 'settled') unfinished.push({ entryId, label, ageMs: nowMs - enteredMs, state });
    };
    this.#unknown.forEach(add);
    for (let entry = this.#ring.next; entry !== this.#ring; entry = entry.next) add(entry);
    return unfinished.sort((left, right) => left.entryId - right.entryId);
  }
}
