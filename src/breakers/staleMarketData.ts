/** Trips where the newest bar is too old, or where bars are missing between two. */
import { checkStaleData, type StaleDataOptions } from './options.js';
import { againstLimit, type CheckResult, evaluated, isFiniteNumber, OK, passes, trips } from './result.js';

export interface Feed {
  /** The monotonic clock now. */
  readonly nowMs: number;
  /** The monotonic clock when the newest bar was received: its own time says nothing about when it came. Absent: none ever was. */
  readonly receivedMs?: number | undefined;
  /** The bars by their own times, oldest first, where gaps are looked for. */
  readonly bars?: readonly { readonly openMs: number }[];
}

export function judgeAge(nowMs: number, receivedMs: number, { maxAgeMs }: Pick<StaleDataOptions, 'maxAgeMs'>): CheckResult {
  const ageMs = nowMs - receivedMs;
  if (!(ageMs >= 0)) return trips('time_invalid', 'the age of the market data cannot be told');
  return againstLimit(ageMs, maxAgeMs, { code: 'market_data_stale', what: 'the age in ms of the newest bar' });
}

/** The step from one bar to the next. */
export function judgeGap(previousMs: number, openMs: number, { expectedIntervalMs, maxMissingBars }: StaleDataOptions): CheckResult {
  if (expectedIntervalMs === 0) return OK;
  if (!isFiniteNumber(previousMs) || !isFiniteNumber(openMs))
    return trips('time_invalid', 'the time of a bar is not a number of milliseconds');
  if (openMs <= previousMs) return trips('bar_out_of_order', 'bars are not in the order of their times', { openMs, previousMs });
  const missing = Math.ceil((openMs - previousMs) / expectedIntervalMs) - 1;
  const details = { missing, gapMs: openMs - previousMs };
  return missing > maxMissingBars ? trips('market_data_gap', `${missing} bars are missing, more than ${maxMissingBars}`, details) : OK;
}

/** Who calls it without types may hand in anything. */
function isList(value: readonly unknown[]): boolean {
  return Array.isArray(value);
}

/** Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function staleMarketData(feed: Feed, options: Partial<StaleDataOptions> & Pick<StaleDataOptions, 'maxAgeMs'>): CheckResult {
  const checked = checkStaleData('staleMarketData', options);
  return evaluated(() => {
    const { nowMs, receivedMs, bars = [] } = feed;
    if (receivedMs === undefined) return trips('no_bars', 'no bar was ever received');
    const age = judgeAge(nowMs, receivedMs, checked);
    if (age.triggered) return age;
    if (!isList(bars)) return trips('bar_missing', 'there is no list of bars');
    const timeOf = (index: number): number => bars[index]?.openMs ?? Number.NaN;
    // One by itself has no gap, and must have a time all the same.
    if (checked.expectedIntervalMs > 0 && bars.length > 0 && !isFiniteNumber(timeOf(0)))
      return trips('time_invalid', 'the time of a bar is not a number of milliseconds');
    for (let index = 1; index < bars.length; index += 1) {
      const gap = judgeGap(timeOf(index - 1), timeOf(index), checked);
      if (gap.triggered) return gap;
    }
    return passes('ok', age.message, age.details);
  });
}
