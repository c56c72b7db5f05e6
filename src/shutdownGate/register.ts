/** Holds the stop flag, the count of orders in flight and the list of unknown outcomes of one gate. */
import type { Clock } from '../clock.js';
import { isolated, isolatedLogger, type Logger } from '../logger.js';
import {
  type DrainReport,
  type GateProtocol,
  type GateStatus,
  NOT_ADMITTED,
  PROTOCOL_VERSION,
  type ResolveResult,
  type SubmissionOutcome,
  type UnfinishedEntry,
  type UnfinishedState,
} from './protocol.js';

export interface RegisterOptions {
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

interface Entry {
  readonly label: string;
  readonly enteredMs: number;
  state: UnfinishedState;
}

interface ShutdownRequest {
  readonly reason: string;
  readonly sinceWallMs: number;
}

/** The state behind one gate. Every method is synchronous except the wait. */
export class SubmissionRegister implements GateProtocol {
  readonly version = PROTOCOL_VERSION;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #inflight = new Map<number, Entry>();
  readonly #unknown = new Map<number, Entry>();
  readonly #waiters = new Set<() => void>();
  readonly #resolveListeners: ((entryId: number, outcome: SubmissionOutcome) => void)[] = [];
  readonly #controller = new AbortController();
  #lastEntryId = NOT_ADMITTED;
  #request: ShutdownRequest | undefined;
  #longestBrokerTimeoutMs: number | undefined;

  constructor({ clock, logger }: RegisterOptions) {
    this.#clock = clock;
    this.#logger = isolatedLogger(logger);
  }

  requested(): boolean {
    return this.#request !== undefined;
  }

  signal(): AbortSignal {
    return this.#controller.signal;
  }

  inflight(): number {
    return this.#inflight.size;
  }

  unknownOutcomes(): number {
    return this.#unknown.size;
  }

  status(): GateStatus {
    const [oldest] = this.#inflight.values();
    return {
      requested: this.#request !== undefined,
      reason: this.#request?.reason,
      sinceWallMs: this.#request?.sinceWallMs,
      inflight: this.#inflight.size,
      unknownOutcomes: this.#unknown.size,
      oldestInflightAgeMs: oldest === undefined ? undefined : this.#clock.monotonicMs() - oldest.enteredMs,
      longestBrokerTimeoutMs: this.#longestBrokerTimeoutMs,
    };
  }

  requestShutdown(reason: string): void {
    if (this.#request !== undefined) return;
    // The flag comes first: whatever the logger or a listener of the signal does, the door is shut by then.
    this.#request = { reason, sinceWallMs: this.#clock.wallMs() };
    this.#controller.abort(new DOMException(reason, 'AbortError'));
    this.#logger.warn({ reason, inflight: this.#inflight.size }, 'shutdown requested: no further order is admitted');
  }

  enter(label: string, nowMs: number): number {
    if (this.#request !== undefined) return NOT_ADMITTED;
    const entryId = ++this.#lastEntryId;
    this.#inflight.set(entryId, { label, enteredMs: nowMs, state: 'in_flight' });
    return entryId;
  }

  markTimedOut(entryId: number): void {
    const entry = this.#inflight.get(entryId);
    if (entry !== undefined) entry.state = 'timed_out';
  }

  settle(entryId: number, outcome: SubmissionOutcome): void {
    if (outcome === 'unknown') this.#keepAsUnknown(entryId);
    if (!this.#inflight.delete(entryId)) return;
    if (this.#inflight.size === 0) for (const wake of [...this.#waiters]) wake();
  }

  #keepAsUnknown(entryId: number): void {
    const entry = this.#inflight.get(entryId);
    if (entry === undefined) return;
    entry.state = 'unknown';
    this.#unknown.set(entryId, entry);
    this.#logger.warn({ entryId, label: entry.label }, 'the outcome of an order is unknown until it is resolved');
  }

  resolve(entryId: number, outcome: SubmissionOutcome, by: string): ResolveResult {
    if (this.#inflight.has(entryId)) return 'in_flight';
    const entry = this.#unknown.get(entryId);
    if (entry === undefined || outcome === 'unknown') return 'not_found';
    this.#unknown.delete(entryId);
    this.#logger.info({ entryId, label: entry.label, outcome, by }, 'the outcome of an order was resolved');
    for (const listener of this.#resolveListeners) isolated(listener, entryId, outcome);
    return 'resolved';
  }

  onResolved(listener: (entryId: number, outcome: SubmissionOutcome) => void): void {
    this.#resolveListeners.push(listener);
  }

  waitForInflightZero(timeoutMs: number): Promise<DrainReport> {
    const startedMs = this.#clock.monotonicMs();
    if (this.#inflight.size === 0 || timeoutMs === 0) return Promise.resolve(this.#report(startedMs));
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#waiters.delete(finish);
        resolve(this.#report(startedMs));
      };
      // Keeps the process alive on purpose: a drain on a bare promise lets the process exit with status 0 in mid-drain.
      const timer = this.#clock.setTimer(timeoutMs, finish, { keepAlive: true });
      this.#waiters.add(finish);
    });
  }

  coverBrokerTimeout(brokerTimeoutMs: number): void {
    this.#longestBrokerTimeoutMs = Math.max(this.#longestBrokerTimeoutMs ?? 0, brokerTimeoutMs);
  }

  #report(startedMs: number): DrainReport {
    const nowMs = this.#clock.monotonicMs();
    const unfinished: UnfinishedEntry[] = [...this.#unknown, ...this.#inflight]
      .map(([entryId, { label, enteredMs, state }]) => ({ entryId, label, ageMs: nowMs - enteredMs, state }))
      .sort((left, right) => left.entryId - right.entryId);
    return { drained: this.#inflight.size === 0, waitedMs: nowMs - startedMs, unfinished };
  }
}
