/** The trading lease: a permission that lapses by itself unless everyone who must watch is alive. */
import { type Audit, createAudit } from '../audit/audit.js';
import { messageOf } from '../errors.js';
import type { IntentKind, Permission, Refusal } from '../permission.js';
import { quietSleep } from '../tradingState/tail.js';
import { LEASE_NAME, leaseAnswer, type ReduceDoor } from './answer.js';
import type { LeaseDecision } from './decideLease.js';
import { type DrainReported, drainReportDue } from './drainReport.js';
import { Holder, underWay } from './holder.js';
import { type LeaseConfig, leaseConfig, type TradingLeaseOptions } from './options.js';
import { intactParts, type LeaseParts, Renewal } from './renewal.js';

export interface TradingLease extends Permission {
  readonly holderId: string;
  /** What it has registered: guards under it may take no longer. */
  readonly brokerTimeoutMs: number;
  /** Resolves once this holder is registered and read back (or closed). It may then still wait for its first renewal. */
  readonly ready: Promise<void>;
  /** What the lease is worth now. Untils and sinces are on the monotonic clock of the options. */
  state(): LeaseDecision;
  /** Shuts the door, waits for orders in flight (at most `closeTimeoutMs`), and says `released` if nothing is left open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const RELEASE_ATTEMPTS = 3;

class HeldLease implements TradingLease {
  readonly name = LEASE_NAME;
  readonly holderId: string;
  readonly brokerTimeoutMs: number;
  readonly ready: Promise<void>;
  readonly #config: LeaseConfig;
  readonly #holder: Holder;
  readonly #renewal: Renewal;
  readonly #audit: Audit;
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;
  #becomeReady: () => void = () => {};
  #closing: Promise<void> | undefined;
  #closed = false;
  #lastKind: LeaseDecision['kind'] | undefined;
  #drainReported: DrainReported | undefined;

  constructor(config: LeaseConfig, parts: LeaseParts) {
    this.#config = config;
    this.holderId = config.holderId;
    this.brokerTimeoutMs = config.brokerTimeoutMs;
    const { bus, clock, logger, random, holderId } = config;
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    this.#limitGuards(config.brokerTimeoutMs);
    this.#holder = new Holder(config);
    this.#audit = createAudit({ bus, actor: `lease:${holderId}`, clock, logger, random, self: config.self });
    this.#renewal = new Renewal(config, parts, this.#holder, this.#audit, {
      onRegistered: this.#becomeReady,
      onChanged: () => this.#noteTransition(),
    });
    this.#running = Promise.all([this.#renewal.run(this.#stopping.signal), this.#drainLoop(this.#stopping.signal)]);
  }

  check(nowMs: number, intent: IntentKind, _entryId?: number, wallMs?: number): Refusal | undefined {
    if (intent === 'cancel') return undefined;
    try {
      if (intent !== 'reduce' && this.#renewal.holds(nowMs, wallMs)) return undefined;
      return leaseAnswer(this.#renewal.decide(nowMs, wallMs), intent, this.#reduceDoor(nowMs, wallMs));
    } catch {
      // An injected clock that throws leaves nothing to stand on.
      return { code: 'lease_expired', source: LEASE_NAME, reason: 'the lease could not be judged' };
    }
  }

  #reduceDoor(nowMs: number, wallMs: number | undefined): ReduceDoor {
    const { venueEnforcesReduceOnly } = this.#config;
    const exitDoubt = venueEnforcesReduceOnly ? undefined : this.#renewal.exitDoubt(nowMs, wallMs);
    return { closed: this.#closed, venueEnforcesReduceOnly, exitDoubt };
  }

  state(): LeaseDecision {
    return this.#renewal.decide(this.#config.clock.monotonicMs());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #noteTransition(): void {
    const decision = this.state();
    const before = this.#lastKind;
    if (decision.kind === before) return;
    this.#lastKind = decision.kind;
    const cause = 'why' in decision ? decision.why : 'renewed';
    const { epoch, version } = this.#renewal.seen();
    const details = { before: before ?? 'none', epoch, version, account: this.#config.account };
    void this.#audit.record({ event: `lease.${decision.kind}`, cause, details });
    if (decision.kind === 'suspended') void this.#holder.report('suspended', this.#renewal.seen(), underWay(this.#config));
  }

  async #drainLoop(signal: AbortSignal): Promise<void> {
    const { clock, drainPollMs, logger } = this.#config;
    while (!signal.aborted) {
      try {
        if (this.#renewal.registered) await this.#reportDrain();
      } catch (error) {
        logger.warn({ error: messageOf(error) }, 'whether the orders of this holder have drained was not reported');
      }
      await quietSleep(clock, drainPollMs, signal);
    }
  }

  async #reportDrain(): Promise<void> {
    const decision = this.state();
    if (decision.kind === 'held') {
      this.#drainReported = undefined;
      return;
    }
    const counted = underWay(this.#config);
    const seen = this.#renewal.seen();
    const stop = `${decision.kind}/${seen.epoch}/${seen.version}`;
    if (counted === undefined || !drainReportDue({ stop, counted }, this.#drainReported)) return;
    if (await this.#holder.report('drained', seen, counted)) this.#drainReported = { stop, unknownOutcomes: counted.unknownOutcomes };
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#renewal.shut();
    this.#becomeReady();
    // A clock that fails ends this wait, and nothing else: the goodbye says what is under way.
    await this.#untilDrained().catch((error: unknown) => this.#config.logger.warn({ error: messageOf(error) }, 'nobody waited for orders'));
    this.#stopping.abort();
    await this.#running;
    if (this.#renewal.registered) await this.#sayGoodbye();
    await this.#audit.flush();
    this.#limitGuards(undefined);
  }

  async #untilDrained(): Promise<void> {
    const { clock, closeTimeoutMs, drainPollMs } = this.#config;
    const untilMs = clock.monotonicMs() + closeTimeoutMs;
    while ((underWay(this.#config)?.inflight ?? 0) > 0 && clock.monotonicMs() < untilMs) await clock.sleep(drainPollMs);
  }

  // A guard that is made later is held to what was registered, also one that does not ask this lease.
  #limitGuards(limitMs: number | undefined): void {
    const { inflight, logger } = this.#config;
    try {
      inflight?.limitBrokerTimeout?.(this, limitMs);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the view of what is in flight failed');
    }
  }

  async #sayGoodbye(): Promise<void> {
    const counted = underWay(this.#config);
    const drained = counted !== undefined && counted.inflight === 0 && counted.unknownOutcomes === 0;
    void this.#audit.record({
      event: 'lease.closed',
      cause: drained ? 'nothing is under way' : 'orders may still be under way',
      details: { ...counted },
    });
    if (counted === undefined || counted.inflight > 0) return;
    for (let attempt = 0; attempt < RELEASE_ATTEMPTS; attempt += 1) {
      if (!(await this.#holder.report('drained', this.#renewal.seen(), counted))) continue;
      if (!drained || (await this.#holder.report('released', this.#renewal.seen(), counted))) return;
    }
  }
}

/** Composes a lease of given decisions; everything but tests and drills uses {@link createTradingLease}. */
export function assembleTradingLease(options: TradingLeaseOptions, parts: LeaseParts): TradingLease {
  return new HeldLease(leaseConfig(options), parts);
}

/**
 * A permission to add risk that lapses `ttlMs` after the last renewal. It renews only while trading is ACTIVE at an epoch that
 * this holder has attested, a watchdog and an able exit worker of its account are alive in processes of their own, and the
 * bus is the one that it registered with. Throws ConfigurationError for options that cannot hold.
 */
export function createTradingLease(options: TradingLeaseOptions): TradingLease {
  return assembleTradingLease(options, intactParts);
}
