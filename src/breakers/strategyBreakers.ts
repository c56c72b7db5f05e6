/** The breakers of one strategy: takes in what happens, latches what trips, and answers at the order door. */
import { checkName, checkText } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import type { ResultSource } from '../messages/result.js';
import type { IntentKind, Refusal } from '../permission.js';
import { type Random, systemRandom } from '../random.js';
import { type BreakerType, type CheckedConfig, checkConfig, type StrategyBreakersConfig } from './config.js';
import { Evidence, type Finding } from './evidence.js';
import type { BreakerEvent, DoorEvent, ResetOutcome, ResetRequest, StrategyBreakers, StrategyBreakersDeps, Verdict } from './face.js';
import { Reporter } from './reporter.js';
import { type CheckResult, passes, trips, wordsOf } from './result.js';
import {
  atTime,
  type BreakerState,
  CLOSED,
  orderSettled,
  probeAdmitted,
  probesLeft,
  type Trip,
  tripsOf,
  withoutTrips,
  withTrips,
} from './state.js';
import { RESET_TIMEOUT_MS, TripStore } from './tripStore.js';
import { WarningBook } from './warnings.js';

const STATUS_EVENTS = {
  closed: 'breaker.closed',
  tripped: 'breaker.latched',
  cooling: 'breaker.cooling',
  probing: 'breaker.probing',
} as const satisfies Readonly<Record<BreakerState['status'], string>>;

const CLEAR = passes('ok', 'no breaker has tripped');
const UNREAD: Finding = { type: 'unknown_state', result: trips('state_unknown', 'the trips on the bus have not been read yet') };

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
  /** Orders that a probe has granted and the door has not told of yet. */
  #granted = 0;
  /** Trips that a reset is about to take away. */
  #leaving: ReadonlySet<string> = new Set();

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
    if (bus !== undefined) {
      this.#store = new TripStore({
        bus,
        strategyId,
        clock: this.#clock,
        logger: this.#reporter.logger,
        trips: () => tripsOf(this.#state),
        adopt: (stored) => this.#trip(stored),
      });
    }
    this.ready = this.#store?.changed() ?? Promise.resolve();
  }

  recordBar(bar: unknown): Verdict {
    return this.#record((nowMs) => this.#evidence.bar(bar, nowMs, this.#latestWallMs(nowMs)));
  }

  recordBars(bars: readonly unknown[]): Verdict {
    return this.#record((nowMs) => {
      if (bars.length === 0) return this.#evidence.noBars();
      return bars.flatMap((bar) => this.#evidence.bar(bar, nowMs, this.#latestWallMs(nowMs)));
    });
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
    this.#advance(nowMs);
    const standing = this.#standing();
    if (standing === undefined) return undefined;
    if (this.#state.status === 'probing' && this.#grants(entryId)) return undefined;
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
    const cleared = tripsOf(this.#state);
    const ids = new Set(cleared.map(({ id }) => id));
    this.#leaving = ids;
    const done = this.#store === undefined ? ({ ok: true } as const) : await this.#store.clear({ ids, by, reason }, RESET_TIMEOUT_MS);
    this.#leaving = new Set();
    if (!done.ok) {
      // It may have been taken after all: what is in force here stands there again.
      void this.#store?.changed();
      this.#reporter.note('breaker.reset_unknown', `${by}: ${reason}`, { detail: done.detail });
      return { outcome: 'unknown', detail: done.detail, verdict: this.verdict() };
    }
    this.#evidence.restart({ rebase });
    this.#reporter.note('breaker.reset', reason, {
      by,
      rebase,
      cleared: cleared.map(({ type, reasonCode, id }) => ({ type, reasonCode, id })),
    });
    this.#become(withoutTrips(this.#state, ids));
    this.#reporter.tell({ type: 'reset', by, reason, cleared });
    return { outcome: 'reset', cleared, verdict: this.verdict() };
  }

  async close(): Promise<void> {
    await this.#store?.close();
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
    return { id: this.#random.id(), type, reasonCode, message, details, sinceWallMs: this.#sinceWallMs() };
  }

  // For people: a clock that fails must not keep a breaker from tripping over it.
  #sinceWallMs(): number {
    try {
      return this.#clock.wallMs();
    } catch {
      return 0;
    }
  }

  #trip(added: readonly Trip[], nowMs = this.#clock.monotonicMs()): void {
    const before = tripsOf(this.#state);
    this.#become(withTrips(this.#state, added, { probe: this.#config.probe, nowMs, leaving: this.#leaving }));
    for (const trip of tripsOf(this.#state)) if (!before.includes(trip)) this.#reporter.trip(trip);
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
      this.#granted = 0;
      this.#reporter.note(STATUS_EVENTS[next.status], tripsOf(next)[0]?.message ?? 'no trip is left', { from: previous.status });
      this.#reporter.tell({ type: 'status', state: next });
    }
    if (tripsOf(next) !== tripsOf(previous)) void this.#store?.changed();
  }

  #hear(event: DoorEvent): void {
    if (event.type === 'admitted' && event.intent === 'increase' && this.#granted > 0) {
      this.#granted -= 1;
      this.#become(probeAdmitted(this.#state, event.entryId));
    } else if (event.type === 'refused' && event.refusal.source !== this.name && this.#granted > 0) {
      this.#granted -= 1;
    } else if (event.type === 'settled' || event.type === 'lateSettled') {
      const { entryId, settled } = event;
      const end = { entryId, acknowledged: settled.outcome === 'acknowledged', nowMs: this.#clock.monotonicMs() };
      this.#become(orderSettled(this.#state, this.#config.probe, end));
    }
  }

  #grants(entryId: number | undefined): boolean {
    if (this.#state.status !== 'probing' || this.#evidence.waiting() !== undefined) return false;
    if (entryId !== undefined && this.#state.pending.includes(entryId)) return true;
    if (probesLeft(this.#state, this.#config.probe) - this.#granted <= 0) return false;
    this.#granted += 1;
    return true;
  }

  /** What stands in the way of more risk. */
  #standing(): (Finding & { readonly sinceWallMs?: number }) | undefined {
    if (this.#state.status !== 'closed') {
      const [first] = this.#state.trips;
      if (first !== undefined) return { type: first.type, result: asResult(first), sinceWallMs: first.sinceWallMs };
    }
    return this.#store?.isLoaded === false ? UNREAD : this.#evidence.waiting();
  }

  #retryAfterMs(nowMs: number): number | undefined {
    const state = this.#state;
    if (state.status !== 'cooling' && state.status !== 'probing') return undefined;
    return Math.max(0, state.untilMs - nowMs);
  }

  #verdictAt(nowMs: number): Verdict {
    const { status } = this.#state;
    const standing = this.#standing();
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
