/** The breakers of one strategy: takes in what happens, latches what trips, and answers at the order door. */
import { checkName, checkText } from '../checks.js';
import { type Clock, recordedWallMs, systemClock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import type { StoredReset } from '../messages/breaker.js';
import type { ResultSource } from '../messages/result.js';
import type { IntentKind, Refusal } from '../permission.js';
import { type Random, systemRandom } from '../random.js';
import { type BreakerType, type CheckedConfig, checkBoolean, checkConfig, type StrategyBreakersConfig } from './config.js';
import { Evidence, type Finding } from './evidence.js';
import type { BreakerEvent, DoorEvent, ResetOutcome, ResetRequest, StrategyBreakers, StrategyBreakersDeps, Verdict } from './face.js';
import { Leaving } from './leaving.js';
import { ProbeGrants } from './probeGrants.js';
import { Reporter, type ResetTold } from './reporter.js';
import { type CheckResult, passes, shortened, trips, wordsOf } from './result.js';
import {
  atTime,
  type BreakerState,
  CLOSED,
  orderSettled,
  probeAdmitted,
  probesLeft,
  type Trip,
  tripsOf,
  withAdopted,
  withoutTrips,
  withTrips,
} from './state.js';
import { RESET_TIMEOUT_MS, TripStore } from './tripStore.js';
import { WarningBook } from './warnings.js';

const NO_LIST: Finding = { type: 'invalid_data', result: trips('bar_missing', 'there is no list of bars') };
const CLEAR = passes('ok', 'no breaker has tripped');
const unknown = (doubt: string): Finding => ({ type: 'unknown_state', result: trips('state_unknown', `the trips on the bus ${doubt}`) });

class LatchedBreakers implements StrategyBreakers {
  readonly strategyId: string;
  readonly name: string;
  readonly ready: Promise<void>;
  readonly observe: (event: DoorEvent) => void;
  readonly #config: CheckedConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #reporter: Reporter;
  readonly #evidence: Evidence;
  readonly #warnings = new WarningBook<BreakerType>();
  readonly #store: TripStore | undefined;
  /** Wall minus monotonic time when this began: a wall clock that is set back later makes no bar one from the future. */
  readonly #wallOffsetMs: number;
  #state: BreakerState = CLOSED;
  readonly #grantsOfProbe = new ProbeGrants();
  readonly #leaving = new Leaving();

  constructor(strategyId: string, config: StrategyBreakersConfig, deps: StrategyBreakersDeps) {
    this.strategyId = checkName('strategyId', strategyId);
    this.name = `breakers:${strategyId}`;
    this.#config = checkConfig(config);
    this.#clock = deps.clock ?? systemClock;
    this.#random = deps.random ?? systemRandom;
    this.#evidence = new Evidence(this.#config);
    this.#wallOffsetMs = this.#clock.wallMs() - this.#clock.monotonicMs();
    this.#reporter = new Reporter(strategyId, this.name, deps);
    this.observe = (event) => this.#hear(event);
    const { bus } = deps;
    // Trips that should have been durable would end with the process.
    if ('bus' in deps && bus === undefined) throw new ConfigurationError('bus', bus, 'must be a bus, or left out');
    if (bus !== undefined) {
      this.#store = new TripStore({
        bus,
        strategyId,
        clock: this.#clock,
        logger: this.#reporter.logger,
        newId: () => this.#random.id(),
        maxStalenessMs: this.#config.maxStalenessMs,
        trips: () => tripsOf(this.#state),
        adopt: (stored) => this.#adopt(stored),
        release: (ids, reset) => this.#release(ids, reset),
      });
    }
    this.ready = this.#store?.start() ?? Promise.resolve();
  }

  recordBar(bar: unknown): Verdict {
    return this.#record((nowMs) => this.#evidence.bar(bar, nowMs, this.#latestWallMs(nowMs)));
  }

  // Each by itself: what one of them has shown stands, whatever comes of the next.
  recordBars(bars: unknown): Verdict {
    let listed: readonly unknown[] = [];
    const verdict = this.#record(() => {
      if (!Array.isArray(bars)) return [NO_LIST];
      // With its holes, each of which is a bar that is missing.
      listed = Array.from<unknown>(bars);
      return listed.length === 0 ? this.#evidence.noBars() : [];
    });
    return listed.reduce<Verdict>((_before, bar) => this.recordBar(bar), verdict);
  }

  recordQuote(quote: unknown): Verdict {
    return this.#record((nowMs) => this.#evidence.quote(quote, nowMs));
  }

  recordFill(result: unknown): Verdict {
    return this.#record((nowMs) => this.#evidence.result(result, this.#latestWallMs(nowMs)));
  }

  recordFills(ledger: ResultSource): Verdict {
    return this.#record((nowMs) => this.#evidence.results(ledger, this.strategyId, this.#latestWallMs(nowMs)));
  }

  recordEquity(equity: unknown): Verdict {
    return this.#record(() => this.#evidence.equity(equity));
  }

  recordIntent(count: unknown = 1): Verdict {
    return this.#record((nowMs) => this.#evidence.intent(count, nowMs));
  }

  recordOrder(order: unknown): Verdict {
    return this.#record((nowMs) => this.#evidence.order(order, nowMs));
  }

  verdict(): Verdict {
    return this.#record(() => []);
  }

  state(): BreakerState {
    return this.#state;
  }

  onEvent(listener: (event: BreakerEvent) => void): () => void {
    return this.#reporter.onEvent(listener);
  }

  // Asking may find that time has made something true, and a probe counts what it grants; nothing else is changed by it.
  check(nowMs: number, intent: IntentKind, entryId?: number): Refusal | undefined {
    if (intent !== 'increase') return undefined;
    this.#grantsOfProbe.asked();
    this.#advance(nowMs);
    const standing = this.#standing(nowMs);
    if (standing === undefined) return undefined;
    if (this.#state.status === 'probing' && this.#grants(nowMs, entryId)) return undefined;
    const { type, result, sinceWallMs } = standing;
    const retryAfterMs = this.#retryAfterMs(nowMs);
    return {
      code: `circuit_breaker_${type}`,
      source: this.name,
      reason: `${result.reasonCode}: ${result.message}`,
      ...(sinceWallMs === undefined ? {} : { sinceWallMs }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  async reset({ by, reason, rebase = false }: ResetRequest): Promise<ResetOutcome> {
    checkText('by', by);
    checkText('reason', reason);
    checkBoolean('rebase', rebase);
    const cleared = tripsOf(this.#state);
    const ids = new Set(cleared.map(({ id }) => id));
    const done = (): void => this.#cleared(ids, { by, reason, how: rebase ? 'rebase' : 'reset' }, 'breaker.reset');
    if (this.#store === undefined) {
      done();
      return { outcome: 'reset', cleared, verdict: this.verdict() };
    }
    const left = this.#leaving.begin(ids);
    const outcome = await this.#store.clear({ ids: [...ids], by, reason, how: rebase ? 'rebase' : 'reset' }, RESET_TIMEOUT_MS, done);
    left();
    if (outcome.ok) return { outcome: 'reset', cleared, verdict: this.verdict() };
    // It may have been taken after all: what is in force here stands there again.
    void this.#store.changed();
    this.#reporter.note('breaker.reset_unknown', `${by}: ${reason}`, { detail: outcome.detail });
    return { outcome: 'unknown', detail: outcome.detail, verdict: this.verdict() };
  }

  async close(): Promise<void> {
    await this.#store?.close();
    await this.#reporter.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** No clock that was right once says that it is later than this. */
  #latestWallMs(nowMs: number): number {
    return Math.max(this.#clock.wallMs(), nowMs + this.#wallOffsetMs) + this.#config.futureToleranceMs;
  }

  // Whatever fails in here is a reason to stop, or is told where the configuration says that it is not.
  #record(look: (nowMs: number) => readonly Finding[]): Verdict {
    let nowMs = Number.NaN;
    try {
      nowMs = this.#clock.monotonicMs();
      // What is of no time would stand in no window.
      if (!Number.isFinite(nowMs)) throw new Error(`the clock answers ${nowMs}`);
      this.#take(look(nowMs), nowMs);
      this.#advance(nowMs);
    } catch (thrown) {
      const message = `an evaluation failed: ${wordsOf(thrown instanceof Error ? thrown.message : thrown)}`;
      if (this.#config.onEvaluationError === 'trip')
        this.#take([{ type: 'evaluation_error', result: trips('evaluation_error', message) }], nowMs);
      else this.#reporter.note('breaker.evaluation_failed', message, {});
    }
    return this.#verdictAt(nowMs);
  }

  #take(findings: readonly Finding[], nowMs: number): void {
    for (const { type, result } of findings) {
      const level = this.#warnings.take(type, result);
      if (level !== undefined) this.#reporter.warning({ type, result }, level);
    }
    const found = findings.filter(({ result }) => result.triggered);
    if (found.length > 0)
      this.#trip(
        found.map((finding) => this.#tripOf(finding)),
        nowMs,
      );
  }

  #tripOf({ type, result: { reasonCode, message, details } }: Finding): Trip {
    // A clock that fails must not keep a breaker from tripping over it, nor the bus from being told.
    return { id: this.#random.id(), type, reasonCode, message: shortened(message), details, sinceWallMs: recordedWallMs(this.#clock) };
  }

  #trip(added: readonly Trip[], nowMs: number): void {
    const before = tripsOf(this.#state);
    this.#become(withTrips(this.#state, added, { probe: this.#config.probe, nowMs, leaving: this.#leaving.ids() }));
    for (const trip of tripsOf(this.#state)) if (!before.includes(trip)) this.#reporter.trip(trip);
  }

  /** What another process, or this one before it was started again, has tripped for. */
  #adopt(stored: readonly Trip[]): void {
    this.#become(withAdopted(this.#state, stored, { probe: this.#config.probe, nowMs: this.#clock.monotonicMs() }));
    for (const trip of stored) this.#reporter.adopted(trip);
  }

  /** What another process has reset, or has tried with orders. */
  #release(ids: ReadonlySet<string>, reset: StoredReset): void {
    this.#cleared(ids, reset, 'breaker.reset_heard');
  }

  #cleared(ids: ReadonlySet<string>, reset: ResetTold, event: 'breaker.reset' | 'breaker.reset_heard'): void {
    const { how } = reset;
    const cleared = tripsOf(this.#state).filter(({ id }) => ids.has(id));
    if (how !== 'probe') this.#evidence.restart({ rebase: how === 'rebase' });
    this.#become(withoutTrips(this.#state, ids));
    this.#reporter.reset(event, cleared, reset);
  }

  #advance(nowMs: number): void {
    if (this.#state.status === 'tripped') return;
    const found = this.#evidence.atTime(nowMs);
    if (found.length > 0) this.#take(found, nowMs);
    if (this.#state.status !== 'closed') this.#become(atTime(this.#state, this.#config.probe, nowMs));
  }

  #become(next: BreakerState): void {
    const previous = this.#state;
    if (next === previous) return;
    this.#state = next;
    if (next.status !== previous.status) {
      this.#grantsOfProbe.clear();
      this.#reporter.status(next, previous.status);
    }
    if (tripsOf(next) !== tripsOf(previous)) void this.#store?.changed();
  }

  #hear(event: DoorEvent): void {
    if (event.type === 'admitted') {
      if (event.intent === 'increase' && this.#grantsOfProbe.admitted()) this.#become(probeAdmitted(this.#state, event.entryId));
    } else if (event.type === 'refused') {
      if (event.intent === 'increase' && event.refusal.source !== this.name) this.#grantsOfProbe.refused();
    } else if (event.type === 'settled' || event.type === 'lateSettled') {
      const { entryId, settled } = event;
      const end = { entryId, acknowledged: settled.outcome === 'acknowledged', nowMs: this.#clock.monotonicMs() };
      this.#become(orderSettled(this.#state, this.#config.probe, end));
    }
  }

  #grants(nowMs: number, entryId: number | undefined): boolean {
    if (this.#state.status !== 'probing' || this.#unsure(nowMs) !== undefined) return false;
    if (entryId !== undefined && this.#state.pending.includes(entryId)) return true;
    if (probesLeft(this.#state, this.#config.probe) <= this.#grantsOfProbe.open) return false;
    this.#grantsOfProbe.grant();
    return true;
  }

  /** What stands in the way of more risk. */
  #standing(nowMs: number): (Finding & { readonly sinceWallMs?: number }) | undefined {
    if (this.#state.status !== 'closed') {
      const [first] = this.#state.trips;
      if (first !== undefined) return { type: first.type, result: asResult(first), sinceWallMs: first.sinceWallMs };
    }
    return this.#unsure(nowMs);
  }

  /** Why nothing can be allowed although nothing has tripped here. */
  #unsure(nowMs: number): Finding | undefined {
    const doubt = this.#store?.doubt(nowMs);
    return doubt === undefined ? this.#evidence.waiting() : unknown(doubt);
  }

  #retryAfterMs(nowMs: number): number | undefined {
    const state = this.#state;
    if (state.status !== 'cooling' && state.status !== 'probing') return undefined;
    return Math.max(0, state.untilMs - nowMs);
  }

  #verdictAt(nowMs: number): Verdict {
    const { status } = this.#state;
    const standing = this.#standing(nowMs);
    if (standing === undefined) return { ...CLEAR, status };
    const retryAfterMs = this.#retryAfterMs(nowMs);
    return { ...standing.result, type: standing.type, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

const asResult = ({ reasonCode, message, details }: Trip): CheckResult => ({ triggered: true, reasonCode, message, details });

/**
 * The breakers of one strategy, of which only those that are configured can trip; faulty data trips always.
 * Throws `ConfigurationError` for a configuration that cannot hold, or a limit that could never be reached.
 */
export function createStrategyBreakers(
  strategyId: string,
  config: StrategyBreakersConfig,
  deps: StrategyBreakersDeps = {},
): StrategyBreakers {
  return new LatchedBreakers(strategyId, config, deps);
}
