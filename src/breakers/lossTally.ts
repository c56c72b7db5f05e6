/** Streak, losses among the last and sums, kept up in constant time as results come in the order of time. Sums are exact, so that taking off again is too. */
import { type Exact, NOTHING, negated, plus } from './exactDecimal.js';
import { dayOf, judgeDailyLoss, judgeLosses, type LossFigures } from './lossJudgement.js';
import { type CountedResult, isLoss } from './lossResult.js';
import type { DailyLossOptions, LossOptions } from './options.js';
import { type CheckResult, OFF, passes } from './result.js';

export interface TalliedResult extends CountedResult {
  /** Counts for streaks and sums. */
  readonly isCounted: boolean;
  /** Counts for its day. */
  readonly isOfDay: boolean;
}

export class LossTally {
  readonly #losses: LossOptions | undefined;
  readonly #daily: DailyLossOptions | undefined;
  #counted: CountedResult[] = [];
  #streak = 0;
  #inLast = 0;
  #lost: Exact = NOTHING;
  /** The oldest result within the time of the sum. */
  #sumFrom = 0;
  #day = -Infinity;
  #ofDay: Exact = NOTHING;

  constructor(losses: LossOptions | undefined, daily: DailyLossOptions | undefined) {
    this.#losses = losses;
    this.#daily = daily;
  }

  get newestDay(): number {
    return this.#day;
  }

  /** A day has begun, if only with a result of zero. A late result of an earlier day belongs to that day. */
  openDay(atMs: number): void {
    if (this.#daily === undefined) return;
    const day = dayOf(atMs, this.#daily);
    if (day <= this.#day) return;
    this.#day = day;
    this.#ofDay = NOTHING;
  }

  /** The newest result, which is not zero. */
  append(result: TalliedResult): void {
    this.#addToDay(result);
    if (!result.isCounted) return;
    this.#counted.push(result);
    this.#streak = isLoss(result) ? this.#streak + 1 : 0;
    this.#moveInLast(result);
    this.#moveSum(result);
  }

  /** Counts anew: something has changed among the older ones. */
  recount(results: readonly TalliedResult[]): void {
    this.#clear();
    for (const result of results) this.append(result);
  }

  /** Only so many are kept from now on: those before them count for nothing but the streak that they began. */
  trim(results: readonly TalliedResult[]): void {
    const streak = this.#streak;
    this.recount(results);
    this.#streak = streak;
  }

  judgeLosses(): CheckResult {
    if (this.#losses === undefined) return OFF;
    const figures: LossFigures = { streak: this.#streak, inLast: this.#inLast, lost: this.#lost };
    return judgeLosses(this.#counted.length === 0 ? undefined : figures, this.#losses);
  }

  judgeDay(): CheckResult {
    if (this.#daily === undefined) return OFF;
    return this.#day === -Infinity ? passes('no_results', 'no result counts yet') : judgeDailyLoss(this.#ofDay, this.#daily);
  }

  #clear(): void {
    this.#counted = [];
    this.#streak = 0;
    this.#inLast = 0;
    this.#lost = NOTHING;
    this.#sumFrom = 0;
    this.#ofDay = NOTHING;
  }

  #addToDay({ isOfDay, closedAtMs, pnl }: TalliedResult): void {
    if (isOfDay && this.#daily !== undefined && dayOf(closedAtMs, this.#daily) === this.#day) this.#ofDay = plus(this.#ofDay, pnl);
  }

  #moveInLast(newest: CountedResult): void {
    const { inLast } = this.#losses ?? {};
    if (inLast === undefined) return;
    if (isLoss(newest)) this.#inLast += 1;
    const left = this.#counted.at(-1 - inLast.results);
    if (left !== undefined && isLoss(left)) this.#inLast -= 1;
  }

  #moveSum(newest: CountedResult): void {
    const { lossSum } = this.#losses ?? {};
    if (lossSum === undefined) return;
    if (isLoss(newest)) this.#lost = plus(this.#lost, negated(newest.pnl));
    const sinceMs = newest.closedAtMs - lossSum.windowMs;
    for (;;) {
      const oldest = this.#counted[this.#sumFrom];
      if (oldest === undefined || oldest.closedAtMs > sinceMs) return;
      if (isLoss(oldest)) this.#lost = plus(this.#lost, oldest.pnl);
      this.#sumFrom += 1;
    }
  }
}
