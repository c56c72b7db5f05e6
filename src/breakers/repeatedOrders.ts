/** Trips where the same order goes out again and again, with nobody in between to say that it should. */
import { checkRepeatedOrders, type RepeatedOrderOptions } from './options.js';
import { countedOrders, likenessOf, type TimedOrder } from './order.js';
import { againstLimit, type CheckResult, evaluated, OK } from './result.js';
import { WindowSum } from './windowSum.js';

export function judgeRepetition(alike: number, { max, windowMs }: RepeatedOrderOptions): CheckResult {
  return againstLimit(alike, max, { code: 'repeated_order', what: `orders that are alike within ${windowMs} ms:`, details: { windowMs } });
}

/** Of the newest order of the list. Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function repeatedOrders(orders: readonly TimedOrder[], nowMs: number, options: RepeatedOrderOptions): CheckResult {
  const checked = checkRepeatedOrders('repeatedOrders', options);
  return evaluated(() => {
    const counted = countedOrders(orders, nowMs, checked.windowMs);
    if ('triggered' in counted) return counted;
    const newest = counted.at(-1);
    if (newest === undefined) return OK;
    const likeness = likenessOf(newest);
    return judgeRepetition(counted.filter((order) => likenessOf(order) === likeness).length, checked);
  });
}

/** Counts likenesses as they come, and forgets those that no longer do. */
export class RepetitionBook {
  readonly #windowMs: number;
  readonly #counts = new Map<string, WindowSum>();
  #sweptMs = -Infinity;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(likeness: string, nowMs: number): number {
    this.#sweep(nowMs);
    const known = this.#counts.get(likeness) ?? new WindowSum(this.#windowMs);
    this.#counts.set(likeness, known);
    known.add(nowMs, 1);
    return known.sum(nowMs);
  }

  clear(): void {
    this.#counts.clear();
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < this.#windowMs) return;
    this.#sweptMs = nowMs;
    for (const [likeness, count] of this.#counts) if (count.sum(nowMs) === 0) this.#counts.delete(likeness);
  }
}
