/** What a strategy, the order door and an operator see of the breakers. */
import type { Audit } from '../audit/audit.js';
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { BreakerResult, ResultSource } from '../messages/result.js';
import type { IntentKind, Permission } from '../permission.js';
import type { Random } from '../random.js';
import type { PriceBar } from './bar.js';
import type { BreakerType } from './config.js';
import type { OrderRecord } from './order.js';
import type { Quote } from './quoteQuality.js';
import type { CheckResult } from './result.js';
import type { BreakerState, Trip } from './state.js';
import type { WarningLevel } from './warnings.js';

/** May risk be added now, and if not, why. */
export interface Verdict extends CheckResult {
  /** The breaker that stands in the way. */
  readonly type?: BreakerType;
  readonly status: BreakerState['status'];
  /** When it makes sense to ask again; absent where only a reset helps. */
  readonly retryAfterMs?: number;
}

export type BreakerEvent =
  | { readonly type: 'tripped'; readonly trip: Trip }
  | { readonly type: 'status'; readonly state: BreakerState }
  | { readonly type: 'warning'; readonly breaker: BreakerType; readonly level: WarningLevel; readonly result: CheckResult }
  | { readonly type: 'reset'; readonly by: string; readonly reason: string; readonly cleared: readonly Trip[] };

/** What the breakers understand of the door's events. A guard's `observe` option hands them on. */
export type DoorEvent =
  | { readonly type: 'admitted'; readonly entryId: number; readonly intent: IntentKind }
  | {
      readonly type: 'settled' | 'lateSettled';
      readonly entryId: number;
      readonly settled: { readonly outcome: 'acknowledged' | 'refused' | 'unknown' };
    }
  | { readonly type: 'refused'; readonly intent: IntentKind; readonly refusal: { readonly source: string } }
  | { readonly type: 'unknown' };

export interface ResetRequest {
  /** Who resets: a person's or a process's name. */
  readonly by: string;
  readonly reason: string;
  /** Also take the equity of now as the peak, and the day as having begun without a loss. Default false. */
  readonly rebase?: boolean;
}

export type ResetOutcome =
  /** `verdict`: what stands now. A market that is still as wild trips again with its next bar. */
  | { readonly outcome: 'reset'; readonly cleared: readonly Trip[]; readonly verdict: Verdict }
  /** The bus did not take it: everything stays tripped. */
  | { readonly outcome: 'unknown'; readonly detail: string; readonly verdict: Verdict };

export interface StrategyBreakersDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Default: the system's generator. */
  readonly random?: Random;
  readonly logger?: Logger;
  /** Trips are kept here and survive a restart. Default: none, and trips end with the process. */
  readonly bus?: Pick<Bus, 'latch' | 'append'>;
  /** Default: a record keeper of its own where there is a bus. */
  readonly audit?: Pick<Audit, 'record'>;
}

/**
 * The breakers of one strategy. Whatever is recorded answers the verdict after it; none of it throws. As a permission they refuse what
 * adds risk, with the code `circuit_breaker_<type>`; an order that reduces or cancels they never refuse.
 */
export interface StrategyBreakers extends Permission, AsyncDisposable {
  readonly strategyId: string;
  /** Resolves when it is known whether trips stand on the bus. Until then orders are refused. Never rejects. */
  readonly ready: Promise<void>;
  recordBar(bar: PriceBar & { readonly symbol?: string }): Verdict;
  /** What a feed gave at once. None at all trips `missingData`. */
  recordBars(bars: readonly (PriceBar & { readonly symbol?: string })[]): Verdict;
  recordQuote(quote: Quote & { readonly symbol?: string }): Verdict;
  /** A realised result, where no ledger keeps them. */
  recordFill(result: BreakerResult): Verdict;
  /**
   * What a ledger tells of this strategy's fills, and of those that name no strategy: call it after each fill that the ledger was given.
   * A correction or a bust changes what is counted here as it does there; a fill that the ledger refused trips.
   */
  recordFills(ledger: ResultSource): Verdict;
  /** Money and open positions at the price of now, together: without the positions no drawdown is seen before they are closed. */
  recordEquity(equity: number): Verdict;
  /** Decisions of the strategy that may each cause orders. Default 1. */
  recordIntent(count?: number): Verdict;
  /** Call it in the same step before the order is submitted: an order that trips is then refused itself. */
  recordOrder(order: OrderRecord): Verdict;
  /** For a guard's `observe` option. A probe needs it. */
  readonly observe: (event: DoorEvent) => void;
  verdict(): Verdict;
  state(): BreakerState;
  /** Returns how to stop. Nothing a listener does changes a result. */
  onEvent(listener: (event: BreakerEvent) => void): () => void;
  /**
   * Clears the trips that stand now, and begins streaks, sums and rates again. Without a bus at once; with one when the bus has taken it.
   * Throws `ConfigurationError` where nobody or no reason is named.
   */
  reset(request: ResetRequest): Promise<ResetOutcome>;
  close(): Promise<void>;
}
