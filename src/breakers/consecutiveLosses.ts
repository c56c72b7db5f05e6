/** Trips on losses: so many in a row, so many among the last, or of so large a sum within a time. */
import type { BreakerResult } from '../messages/result.js';
import { LossBook } from './lossBook.js';
import { checkLosses, type LossOptions } from './options.js';
import { type CheckResult, evaluated } from './result.js';

/**
 * Results in any order; those of the ledger's `closes()` are such. Midnight ends no streak, and neither does a result of zero.
 * Never throws on data. Throws `ConfigurationError` for an option that cannot hold.
 */
export function consecutiveLosses(results: readonly BreakerResult[], options: Partial<LossOptions>): CheckResult {
  const checked = checkLosses('consecutiveLosses', options);
  return evaluated(() => {
    const found = new LossBook(checked, undefined, Infinity).takeList(results);
    return 'triggered' in found ? found : found.losses;
  });
}
