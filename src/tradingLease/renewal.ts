/** Keeps what a lease stands on: the state, the registration, the peers, and the last grant. */
import type { Audit } from '../audit/audit.js';
import { BusDoubtError, type LatchValue, type ProbeResult } from '../bus/bus.js';
import { clocksDiverged } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import { isolated } from '../logger.js';
import { TRADING_STATE } from '../messages/tradingState.js';
import { halt } from '../tradingState/halt.js';
import { createHaltMemory, type HaltMemory } from '../tradingState/memory.js';
import { type StateReading, stateOf } from '../tradingState/read.js';
import { quietSleep } from '../tradingState/tail.js';
import {
  decideLease,
  exitDoubt,
  type Grant,
  type LeaseDecision,
  type LeaseObservation,
  renewalRefusal,
  runsAt,
  standingGrant,
} from './decideLease.js';
import { type Holder, type SeenState, underWay } from './holder.js';
import type { LeaseConfig } from './options.js';
import { Peers } from './peers.js';
import { type Own, viewOf } from './view.js';

/** The decisions that the lease is composed of. */
export interface LeaseParts {
  readonly decideLease: typeof decideLease;
  readonly renewalRefusal: typeof renewalRefusal;
  readonly clocksDiverged: typeof clocksDiverged;
}

export const intactParts: LeaseParts = { decideLease, renewalRefusal, clocksDiverged };

const RENEWALS_PER_TTL = 4;
const ATTEMPTS_PER_LIVENESS = 4;
const WATCH_BLOCK_AT_LEAST_MS = 1_000;
const CLOCKS_DRIFTED = 'wall clock and monotonic clock have drifted apart';
const FORGOTTEN = 'the bus has forgotten a halt or an epoch that this holder remembers';
const NOT_JUDGED = 'the trading state that was read could not be judged';

export interface RenewalListeners {
  /** Called each time this holder has registered and read that back. */
  readonly onRegistered: () => void;
  /** Called after everything that may have changed what the lease is worth. */
  readonly onChanged: () => void;
}

export class Renewal {
  /** What holds now. Only `#note` changes it. */
  readonly #view: LeaseObservation;
  /** What of that decides for nearly every order, so that the door compares times and no more. */
  #standing: Grant | undefined;
  readonly #config: LeaseConfig;
  readonly #parts: LeaseParts;
  readonly #holder: Holder;
  readonly #audit: Audit;
  readonly #peers: Peers;
  readonly #memory: HaltMemory;
  readonly #onRegistered: () => void;
  readonly #onChanged: () => void;
  #version: number | undefined;
  #readingReceivedMs = -Infinity;
  #forgotten = false;
  #identity: string | undefined;
  #clocks: { readonly sentMs: number; readonly wallMs: number } | undefined;

  constructor(config: LeaseConfig, parts: LeaseParts, holder: Holder, audit: Audit, listeners: RenewalListeners) {
    this.#config = config;
    this.#parts = parts;
    this.#holder = holder;
    this.#audit = audit;
    this.#onRegistered = listeners.onRegistered;
    this.#onChanged = listeners.onChanged;
    this.#peers = new Peers(config);
    this.#memory = createHaltMemory({ by: `lease:${config.holderId}`, clock: config.clock, logger: config.logger });
    this.#view = viewOf(config.self, this.#peers);
  }

  get registered(): boolean {
    return this.#view.registered;
  }

  /** Runs until `signal` aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    this.#peers.start();
    await Promise.all([this.#renewLoop(signal), this.#watchLoop(signal)]);
    await this.#peers.stop();
  }

  /** From now on nothing is permitted but cancels. */
  shut(): void {
    this.#note({ closed: true });
  }

  seen(): SeenState {
    return { epoch: this.#view.state?.epoch ?? 0, version: this.#version ?? 0 };
  }

  #note(change: Partial<Own>): void {
    Object.assign(this.#view, change);
    this.#standing = standingGrant(this.#view);
  }

  /** True only where {@link decide} says `held`, and at a fraction of its cost. */
  holds(nowMs: number, wallMs?: number): boolean {
    const grant = this.#standing;
    if (grant === undefined || !runsAt(grant, nowMs)) return false;
    const { clock, wallDivergenceMs } = this.#config;
    return !clocksDiverged(grant, { nowMs, wallMs: wallMs ?? clock.wallMs() }, wallDivergenceMs);
  }

  /** The wall clock is read only where it decides: under a lease that seems to hold. */
  decide(nowMs: number, wallMs?: number): LeaseDecision {
    const decision = this.#parts.decideLease(this.#view, nowMs, this.#config);
    if (decision.kind !== 'held' || this.#view.grant === undefined) return decision;
    const { clock, wallDivergenceMs } = this.#config;
    if (!this.#parts.clocksDiverged(this.#view.grant, { nowMs, wallMs: wallMs ?? clock.wallMs() }, wallDivergenceMs)) return decision;
    return {
      kind: 'suspended',
      sinceMs: nowMs,
      overdue: false,
      why: `${CLOCKS_DRIFTED} since the renewal`,
    };
  }

  /** Why an exit may be under way without this holder and its worker knowing of each other. */
  exitDoubt(nowMs: number, wallMs?: number): string | undefined {
    const { clock, ttlMs, wallDivergenceMs } = this.#config;
    if (
      this.#clocks !== undefined &&
      this.#parts.clocksDiverged(this.#clocks, { nowMs, wallMs: wallMs ?? clock.wallMs() }, wallDivergenceMs)
    ) {
      return `${CLOCKS_DRIFTED} since the renewal`;
    }
    return exitDoubt(this.#view, nowMs, ttlMs);
  }

  async #renewLoop(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#config;
    while (!signal.aborted) {
      let startedMs = Number.NaN;
      try {
        startedMs = clock.monotonicMs();
        await this.#renew(startedMs);
      } catch (error) {
        logger.warn({ error: messageOf(error) }, 'the trading lease was not renewed');
      }
      if (signal.aborted) return;
      isolated(this.#onChanged);
      await quietSleep(clock, this.#untilNextMs(startedMs), signal);
    }
  }

  // A clock that fails costs renewals, and is asked again: it ends neither this loop nor, by a rejection of it, the process.
  #untilNextMs(startedMs: number): number {
    const { clock, ttlMs, peerLivenessMs } = this.#config;
    const everyMs = ttlMs / RENEWALS_PER_TTL;
    try {
      const nowMs = clock.monotonicMs();
      // Who may not trade asks again soon: what it waits for may be there any moment.
      const soonMs = Math.min(everyMs, peerLivenessMs / ATTEMPTS_PER_LIVENESS);
      const leftMs = startedMs + (this.#isGranted(nowMs) ? everyMs : soonMs) - nowMs;
      return Number.isFinite(leftMs) ? Math.max(1, leftMs) : everyMs;
    } catch {
      return everyMs;
    }
  }

  #isGranted(nowMs: number): boolean {
    return this.#view.grant !== undefined && this.#view.grant.untilMs > nowMs;
  }

  async #renew(sentMs: number): Promise<void> {
    const { bus, clock, ttlMs, wallDivergenceMs } = this.#config;
    const wallMs = clock.wallMs();
    const before = this.#clocks;
    this.#clocks = { sentMs, wallMs };
    if (before !== undefined && this.#parts.clocksDiverged(before, { nowMs: sentMs, wallMs }, wallDivergenceMs)) {
      this.#clocksJumped(sentMs);
      return;
    }
    const answered = await settleWithin(clock, Promise.all([this.#read(), bus.probe()]), ttlMs);
    if (!answered.settled) throw new Error(`the bus did not answer within ${ttlMs} ms`);
    const [value, probe] = answered.value;
    const fresh = this.#adoptRenewal(value, sentMs);
    if (fresh) this.#note({ stateProvedMs: sentMs });
    if (!probe.ok) throw new Error(`the bus cannot be written and read: ${probe.detail}`);
    this.#identify(probe);
    if (probe.unguarded !== undefined) throw new Error(`nothing is granted on this bus: ${probe.unguarded}`);
    if (!fresh || !(await this.#restoreForgotten()) || !(await this.#standOnRecord())) return;
    await this.#haltIfOverdue();
    const nowMs = clock.monotonicMs();
    if (this.#parts.renewalRefusal(this.#view, nowMs, this.#config) !== undefined || this.#view.state === undefined) return;
    this.#note({ grant: { epoch: this.#view.state.epoch, sentMs, wallMs, untilMs: sentMs + ttlMs } });
  }

  /** A host that was suspended looks just like a step of its wall clock: either costs this renewal, and all that was seen. */
  #clocksJumped(nowMs: number): void {
    this.#peers.forget();
    this.#note({ stateProvedMs: undefined });
    if (this.#view.grant !== undefined && this.#view.grant.untilMs > nowMs) this.#note({ grant: { ...this.#view.grant, untilMs: nowMs } });
    void this.#audit.record({ event: 'lease.clocks_diverged', cause: CLOCKS_DRIFTED });
  }

  async #read(): Promise<LatchValue> {
    try {
      return await this.#config.bus.latch(TRADING_STATE).get();
    } catch (error) {
      if (error instanceof BusDoubtError) this.#note({ doubt: messageOf(error) });
      throw error;
    }
  }

  #stateOf(value: LatchValue): StateReading {
    try {
      return stateOf(value);
    } catch (error) {
      this.#note({ doubt: messageOf(error) });
      throw error;
    }
  }

  /** False: a newer value has arrived while this read was on its way, so it proves nothing. */
  #adoptRenewal(value: LatchValue, sentMs: number): boolean {
    const reading = this.#stateOf(value);
    if (reading.version !== this.#version && sentMs < this.#readingReceivedMs) return false;
    this.#take(reading, undefined);
    return true;
  }

  #take(reading: StateReading, doubt: string | undefined): void {
    const isNew = reading.version !== this.#version;
    // Versions only rise: this bus was emptied, and with the state went the word of this holder.
    if (reading.version < (this.#version ?? 0)) this.#forgetStanding();
    this.#version = reading.version;
    // In doubt until it is judged, as a clock may fail meanwhile; what it takes away is gone at once.
    this.#note({ state: reading.state, doubt: NOT_JUDGED });
    if (isNew) this.#readingReceivedMs = this.#config.clock.monotonicMs();
    this.#forgotten = this.#memory.observe(reading.state);
    // Also under the renewal from before, and whatever this bus answers next.
    this.#note({ doubt: this.#forgotten ? FORGOTTEN : doubt });
  }

  #identify(probe: Extract<ProbeResult, { ok: true }>): void {
    const before = this.#identity;
    this.#identity = probe.identity;
    if (before === undefined || before === probe.identity) return;
    this.#forgetStanding();
    this.#peers.restart();
    const details = { before, now: probe.identity };
    void this.#audit.record({ event: 'lease.bus_changed', cause: 'the bus is not the one that this holder had registered with', details });
  }

  /** An exit that does not know of this holder would not wait for its orders. */
  #forgetStanding(): void {
    this.#note({ registered: false, attestedEpoch: undefined });
  }

  /** False: the bus had forgotten something; what this holder remembers is added again before anything is renewed. */
  async #restoreForgotten(): Promise<boolean> {
    const { bus, clock, ttlMs, logger } = this.#config;
    if (!this.#forgotten) return true;
    const outcome = await this.#memory.reassert(bus, { clock, audit: this.#audit, timeoutMs: ttlMs, retryMs: ttlMs / 10 });
    logger.error({ outcome }, FORGOTTEN);
    return false;
  }

  async #standOnRecord(): Promise<boolean> {
    const seen = this.seen();
    if (!this.#view.registered) {
      this.#note({ registered: await this.#holder.register(seen) });
      if (!this.#view.registered) return false;
      this.#onRegistered();
    }
    if (this.#view.attestedEpoch === seen.epoch) return true;
    if (await this.#holder.report('attested', seen, underWay(this.#config))) this.#note({ attestedEpoch: seen.epoch });
    return true;
  }

  async #haltIfOverdue(): Promise<void> {
    const { bus, clock, random, ttlMs, suspendMaxMs, account, holderId } = this.#config;
    const decision = this.#parts.decideLease(this.#view, clock.monotonicMs(), this.#config);
    if (decision.kind !== 'suspended' || !decision.overdue) return;
    // One id for the account and epoch: a partition that suspends every holder is one halt, not one for each.
    const id = `lease/${account}/${this.seen().epoch}`;
    const reason = `a trading lease of ${account} was suspended for longer than ${suspendMaxMs} ms`;
    const by = `lease:${holderId}`;
    await halt(bus, { kind: 'doubt', id, by, reason }, { clock, random, audit: this.#audit, timeoutMs: ttlMs, retryMs: ttlMs / 10 });
  }

  async #watchLoop(signal: AbortSignal): Promise<void> {
    const { bus, clock, ttlMs } = this.#config;
    const blockMs = Math.max(WATCH_BLOCK_AT_LEAST_MS, ttlMs);
    let knownVersion = -1;
    while (!signal.aborted) {
      try {
        const value = await bus.latch(TRADING_STATE).watch(knownVersion, { blockMs, signal });
        if (signal.aborted) return;
        if (value.version === knownVersion) await quietSleep(clock, 1, signal);
        else this.#adoptWatched(this.#stateOf(value));
        knownVersion = value.version;
      } catch (error) {
        if (error instanceof BusDoubtError) this.#note({ doubt: messageOf(error) });
        await quietSleep(clock, ttlMs / (RENEWALS_PER_TTL * 2), signal);
      }
    }
  }

  /** What takes permission away holds at once; what gives it must come from a read that was sent to renew. */
  #adoptWatched(reading: StateReading): void {
    if (reading.state.mode === 'ACTIVE' && this.#version !== undefined && reading.version <= this.#version) return;
    this.#take(reading, this.#view.doubt);
    isolated(this.#onChanged);
  }
}
