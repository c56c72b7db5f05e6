/** Trips on the net loss of one day. */
import type { BreakerResult } from '../messages/result.js';
import { LossBook } from './lossBook.js';
import { checkDailyLoss, type DailyLossOptions } from './options.js';
import { type CheckResult, evaluated } from './result.js';

/**
 * The net result of the day of the newest result, each one once. Days are told by the results' own times.
 * Never throws on data. Throws `ConfigurationError` for an option that cannot hold.
 */
export function dailyLoss(
  results: readonly BreakerResult[],
  options: Partial<DailyLossOptions> & Pick<DailyLossOptions, 'limit'>,
): CheckResult {
  const checked = checkDailyLoss('dailyLoss', options);
  return evaluated(() => {
    const found = new LossBook(undefined, checked, Infinity).takeList(results);
    return 'triggered' in found ? found : found.daily;
  });
}
