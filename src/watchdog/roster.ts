/** Everything that this watchdog has seen, put together into one observation for each exit brain. */
import type { BrainBeat } from '../messages/heartbeat.js';
import type { MaintenanceWindow } from '../messages/maintenance.js';
import type { PeerBeat } from '../messages/peerBeat.js';
import { NEVER_ARMED, type TradingState } from '../messages/tradingState.js';
import { MaintenanceWindows } from './maintenance.js';
import { foldBeat, goesOnAsBefore, type ServiceLife, startsWithin } from './observe.js';
import type { ServiceObservation } from './rules/rule.js';
import { WorkerWords } from './workerWords.js';

/** Two clocks: ages count on the healthy one, windows of planned work on the monotonic one. */
export interface Now {
  readonly healthyMs: number;
  readonly monotonicMs: number;
}

/** A brain that nobody expects, silent for this long with nothing to guard, is forgotten. */
const FORGOTTEN_AFTER_MS = 600_000;

export class Roster {
  readonly #flappingWindowMs: number;
  readonly #lives = new Map<string, ServiceLife>();
  /** The brain of each account that refreshed last: it answers for what the workers say of the account. */
  readonly #guardians = new Map<string, string>();
  readonly #workers = new WorkerWords();
  readonly #windows = new MaintenanceWindows();
  #state: TradingState = NEVER_ARMED;
  #epoch = 0;
  #epochSinceMs = 0;
  #expected: ReadonlySet<string> = new Set();

  constructor(flappingWindowMs: number) {
    this.#flappingWindowMs = flappingWindowMs;
  }

  get state(): TradingState {
    return this.#state;
  }

  /** The highest epoch ever seen: a bus that forgot one does not bring it back. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Returns whether the beat may have brought an accusation nearer: one that is no news or goes on as before has not. */
  beat(beat: BrainBeat, atMs: number, catchingUp: boolean): boolean {
    const before = this.#lives.get(beat.serviceId);
    const after = foldBeat(before, beat, { atMs, epoch: this.#epoch, catchingUp });
    if (after === before) return false;
    this.#lives.set(after.serviceId, after);
    const guardedBefore = this.#guardians.get(after.account) === after.serviceId;
    if (!guardedBefore) this.#guardians.set(after.account, after.serviceId);
    return !(guardedBefore && goesOnAsBefore(before, after));
  }

  /** Returns whether what is known of a book has changed, from nothing or between flat and open. */
  workerBeat(beat: PeerBeat, atMs: number): boolean {
    return this.#workers.hear(beat, atMs);
  }

  window(window: MaintenanceWindow, nowMs: number, wallMs: number | undefined): boolean {
    return this.#windows.see(window, nowMs, wallMs);
  }

  entered(state: TradingState, epoch: number, atMs: number): void {
    if (epoch > this.#epoch) {
      this.#epochSinceMs = atMs;
      this.#windows.forgetBefore(epoch);
    }
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#state = state;
    this.#expected = new Set(state.services);
  }

  knows(serviceId: string): boolean {
    return this.#lives.has(serviceId);
  }

  /** The accounts that a panic about this observation must close. */
  accountsOf(observed: ServiceObservation): readonly string[] {
    return observed.account === undefined ? this.#state.accounts : [observed.account];
  }

  observe(serviceId: string, now: Now): ServiceObservation | undefined {
    const life = this.#lives.get(serviceId);
    if (life !== undefined) return this.#observeLife(life, now);
    if (this.#expected.has(serviceId)) return this.#observeUnseen(serviceId, now);
    for (const observed of this.#observeBrainless(now)) if (observed.serviceId === serviceId) return observed;
    return undefined;
  }

  *observeAll(now: Now): Generator<ServiceObservation> {
    for (const life of this.#lives.values()) yield this.#observeLife(life, now);
    for (const serviceId of this.#expected) if (!this.#lives.has(serviceId)) yield this.#observeUnseen(serviceId, now);
    yield* this.#observeBrainless(now);
  }

  /** Keeps a stream of names that nobody uses twice from filling the memory. */
  forgetTheLongGone(now: Now): void {
    this.#workers.forget(now.healthyMs - FORGOTTEN_AFTER_MS);
    for (const life of this.#lives.values()) {
      if (now.healthyMs - life.refreshedMs <= FORGOTTEN_AFTER_MS || this.#expected.has(life.serviceId)) continue;
      if ((this.#observeLife(life, now).positions ?? 0) > 0) continue;
      this.#lives.delete(life.serviceId);
      if (this.#guardians.get(life.account) === life.serviceId) this.#guardians.delete(life.account);
    }
  }

  #observeLife(life: ServiceLife, now: Now): ServiceObservation {
    const expected = this.#expected.has(life.serviceId);
    const sinceMs = (ms: number) => Math.max(0, now.healthyMs - Math.max(ms, this.#epochSinceMs));
    // What an unexpected brain said in an earlier epoch was acknowledged by the re-arm since.
    const own = expected || life.epoch === this.#epoch ? life.positions : undefined;
    const answers = this.#guardians.get(life.account) === life.serviceId;
    const workers = answers ? this.#workers.positions(life.account, now.healthyMs) : undefined;
    return {
      serviceId: life.serviceId,
      account: life.account,
      seen: true,
      expected,
      mode: this.#state.mode,
      status: life.status,
      beatAgeMs: sinceMs(life.refreshedMs),
      positions: own === undefined ? workers : Math.max(own, workers ?? 0),
      decisionAgeMs: sinceMs(life.decidedMs),
      degradedForMs: life.degradedSinceMs === undefined ? undefined : sinceMs(life.degradedSinceMs),
      generationsInWindow: startsWithin(life, now.healthyMs, this.#flappingWindowMs),
      maintenanceLeftMs: this.#windows.leftMs(life.serviceId, this.#epoch, now.monotonicMs),
    };
  }

  #observeUnseen(serviceId: string, now: Now): ServiceObservation {
    return this.#silence(serviceId, undefined, true, this.#positionsEverywhere(now), now);
  }

  /** Accounts with open positions that no brain ever spoke for. Before the first arming nobody asked for a guard. */
  *#observeBrainless(now: Now): Generator<ServiceObservation> {
    if (this.#epoch === 0) return;
    for (const account of this.#workers.accounts()) {
      const positions = this.#workers.positions(account, now.healthyMs) ?? 0;
      if (positions > 0 && !this.#guardians.has(account)) {
        const observed = this.#silence(`(none for ${account})`, account, false, positions, now);
        const openForMs = Math.max(0, now.healthyMs - this.#workers.openSinceMs(account));
        yield { ...observed, beatAgeMs: Math.min(observed.beatAgeMs, openForMs) };
      }
    }
  }

  #silence(serviceId: string, account: string | undefined, expected: boolean, positions: number | undefined, now: Now): ServiceObservation {
    const ageMs = Math.max(0, now.healthyMs - this.#epochSinceMs);
    return {
      serviceId,
      account,
      seen: false,
      expected,
      mode: this.#state.mode,
      status: undefined,
      beatAgeMs: ageMs,
      positions,
      decisionAgeMs: ageMs,
      degradedForMs: undefined,
      generationsInWindow: 0,
      maintenanceLeftMs: this.#windows.leftMs(serviceId, this.#epoch, now.monotonicMs),
    };
  }

  /** Whose account is not known may be any of them: undefined as long as one of their books is. */
  #positionsEverywhere(now: Now): number | undefined {
    let most: number | undefined;
    for (const account of this.#state.accounts) {
      const positions = this.#workers.positions(account, now.healthyMs);
      if (positions === undefined) return most !== undefined && most > 0 ? most : undefined;
      // A book that a brain speaks for is judged through that brain.
      most = Math.max(most ?? 0, this.#guardians.has(account) ? 0 : positions);
    }
    return most;
  }
}
