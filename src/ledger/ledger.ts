/** From fills to realised profit and loss: what a ledger does. */
import type { ResultNews, ResultSource } from '../messages/result.js';
import type { BustedFill, LedgerFill } from './fill.js';
import type { Close, FillRefusal, LossCount, LossSum, OpenPosition, RealisedResult, RecordOutcome, ResultFilter } from './result.js';

/**
 * Realised P&L of any number of accounts, symbols and strategies, first in, first out (26 CFR 1.1012-1(c)(1)), in exact decimals.
 * A position lives until it is closed: midnight means nothing here.
 */
export interface Ledger extends ResultSource {
  /**
   * Books a fill, a correction or a bust. Never throws, whatever it is handed: a feed must not end the process. What cannot be booked
   * is refused, and counted in {@link refusals}: a breaker that finds one there must assume a loss that it cannot see.
   */
  record(report: LedgerFill | BustedFill): RecordOutcome;
  /** Results that are kept, oldest first. The order follows the fills' own time, never that of arrival. */
  results(filter?: ResultFilter): readonly RealisedResult[];
  /** The same, the results of one order as one close. */
  closes(filter?: ResultFilter): readonly Close[];
  /** What has become of the closes of a strategy since a place that this told before: in constant time for each fill that has come since. */
  news(filter: { readonly strategy: string | null }, place?: number): ResultNews;
  /** Losing closes since the last gain. A close of exactly zero neither counts nor resets. */
  consecutiveLosses(filter?: ResultFilter): LossCount;
  /** Losses among the newest `closes` closes; those of exactly zero are not among them. Throws a ConfigurationError unless `closes` is a whole number of at least 1. */
  lossesInLast(closes: number, filter?: ResultFilter): LossCount;
  /** What losing closes of the last `windowMs` lost, by the wall clock. Throws a ConfigurationError unless `windowMs` is a number of at least 1. */
  lossSum(windowMs: number, filter?: ResultFilter): LossSum;
  /** What is open: compare it with the venue's own positions. */
  positions(filter?: ResultFilter): readonly OpenPosition[];
  /** How many reports were refused since the ledger began, restarts included, and the latest of them. */
  refusals(): { readonly count: number; readonly latest?: FillRefusal };
  /** How many of them were taken as seen for a strategy, restarts included. */
  refusalsSeen(strategy: string): number;
  /** What breakers call when they are reset. Throws a ConfigurationError for more refusals than there were. */
  takeRefusalsAsSeen(strategy: string, count: number): void;
  /** Everything as text, with its version and checksum, for `createLedger({ snapshot })`. */
  snapshot(): string;
}
