/** The results that the loss checks still need, as they come. */
import { type BreakerResult, judgeLosses, readResult } from './consecutiveLosses.js';
import { dayOf, judgeDailyLoss } from './dailyLoss.js';
import type { DailyLossOptions, LossOptions } from './options.js';
import { type CheckResult, OFF } from './result.js';

/** Ids of so many of the newest results are known: a ledger that repeats an older one than that would count it twice. */
export const KNOWN_RESULTS = 10_000;

export interface LossFindings {
  readonly losses: CheckResult;
  readonly daily: CheckResult;
}

export class LossBook {
  readonly #losses: LossOptions | undefined;
  readonly #daily: DailyLossOptions | undefined;
  readonly #known = new Set<string>();
  /** In the order in which they came, without those of zero. */
  #counted: BreakerResult[] = [];
  #newestMs = -Infinity;
  #day: { number: number; pnl: number } | undefined;

  constructor(losses: LossOptions | undefined, daily: DailyLossOptions | undefined) {
    this.#losses = losses;
    this.#daily = daily;
  }

  /** A fault, or what the checks find. */
  take(given: unknown): CheckResult | LossFindings {
    const result = readResult(given);
    if ('triggered' in result) return result;
    if (!this.#isNew(result.id)) return this.#judge();
    if (result.pnl !== 0) this.#count(result);
    if (this.#daily !== undefined) this.#addToDay(result, this.#daily);
    return this.#judge();
  }

  /** Counting begins again; a repetition of what was counted stays one. */
  restart({ rebase }: { readonly rebase: boolean }): void {
    this.#counted = [];
    if (rebase && this.#day !== undefined) this.#day.pnl = 0;
  }

  #isNew(id: string): boolean {
    if (this.#known.has(id)) return false;
    this.#known.add(id);
    const [oldest] = this.#known.size > KNOWN_RESULTS ? this.#known : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    return true;
  }

  // Kept: as many of the newest as a count looks at, and those within the window of the sum.
  #count(result: BreakerResult): void {
    const { max = 0, inLast, lossSum } = this.#losses ?? {};
    this.#newestMs = Math.max(this.#newestMs, result.atMs);
    this.#counted.push(result);
    const from = this.#counted.length - Math.max(max, inLast?.results ?? 0);
    const sinceMs = lossSum === undefined ? Infinity : this.#newestMs - lossSum.windowMs;
    this.#counted = this.#counted.filter(({ atMs }, index) => index >= from || atMs > sinceMs);
  }

  // A late result of an earlier day belongs to that day.
  #addToDay({ atMs, pnl }: BreakerResult, options: DailyLossOptions): void {
    const number = dayOf(atMs, options);
    if (this.#day === undefined || number > this.#day.number) this.#day = { number, pnl: 0 };
    if (number === this.#day.number) this.#day.pnl += pnl;
  }

  #judge(): LossFindings {
    return {
      losses: this.#losses === undefined ? OFF : judgeLosses(this.#counted, this.#losses),
      daily: this.#daily === undefined || this.#day === undefined ? OFF : judgeDailyLoss(this.#day.pnl, this.#daily),
    };
  }
}
