/** The volatility check over a stream of closes: the same answer as over the whole list, in constant time for each close. */
import type { VolatilityOptions } from './options.js';
import { type CheckResult, OFF } from './result.js';
import { SlidingMoments } from './slidingMoments.js';
import { insufficientData, judgeVolatility, logReturn, medianOfThree } from './volatility.js';

export class VolatilityStream {
  readonly #options: VolatilityOptions;
  readonly #recent: SlidingMoments;
  readonly #baseline: SlidingMoments;
  /** The closes before, for the median. */
  #before: number | undefined;
  #beforeThat: number | undefined;
  /** The last price behind the filter. */
  #price: number | undefined;
  #closes = 0;

  /** `options` are complete and checked. */
  constructor(options: VolatilityOptions) {
    this.#options = options;
    this.#recent = new SlidingMoments(options.recentN);
    this.#baseline = new SlidingMoments(options.baselineN);
  }

  /** `close` is a price: whoever calls has checked it. */
  push(close: number): CheckResult {
    if (this.#options.threshold === 0) return OFF;
    this.#closes += 1;
    const price = this.#filtered(close);
    if (price !== undefined) this.#take(price);
    return this.judge();
  }

  judge(): CheckResult {
    if (this.#options.threshold === 0) return OFF;
    if (!this.#recent.isFull || !this.#baseline.isFull) return insufficientData(this.#closes, this.#options);
    return judgeVolatility(this.#recent.sigma(), this.#baseline.sigma(), this.#options);
  }

  #filtered(close: number): number | undefined {
    if (this.#options.estimator === 'plain') return close;
    const earliest = this.#beforeThat;
    const middle = this.#before;
    this.#beforeThat = middle;
    this.#before = close;
    return earliest === undefined || middle === undefined ? undefined : medianOfThree(earliest, middle, close);
  }

  // A return that leaves the recent window enters the baseline: the windows touch and never overlap.
  #take(price: number): void {
    const previous = this.#price;
    this.#price = price;
    if (previous === undefined) return;
    const left = this.#recent.push(logReturn(previous, price));
    if (left !== undefined) this.#baseline.push(left);
  }
}
