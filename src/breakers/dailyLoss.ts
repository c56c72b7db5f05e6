/** Trips on the net loss of one day. */
import { type BreakerResult, readResult } from './consecutiveLosses.js';
import { checkDailyLoss, type DailyLossOptions } from './options.js';
import { againstLimit, type CheckResult, evaluated, passes, trips } from './result.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Days are told by the results' own times: no step of a clock moves one. */
export function dayOf(atMs: number, { dayStartsAtUtcMinutes }: DailyLossOptions): number {
  return Math.floor((atMs - dayStartsAtUtcMinutes * MINUTE_MS) / DAY_MS);
}

export function judgeDailyLoss(pnl: number, { limit }: DailyLossOptions): CheckResult {
  return againstLimit(Math.max(0, -pnl), limit, { code: 'daily_loss', what: 'the net loss of the day:', inclusive: true });
}

/**
 * The net result of the day of the newest result. Each id counts once.
 * Never throws on data. Throws `ConfigurationError` for an option that cannot hold.
 */
export function dailyLoss(
  results: readonly BreakerResult[],
  options: Partial<DailyLossOptions> & Pick<DailyLossOptions, 'limit'>,
): CheckResult {
  const checked = checkDailyLoss('dailyLoss', options);
  return evaluated(() => {
    const seen = new Set<string>();
    let day = -Infinity;
    let pnl = 0;
    if (!Array.isArray(results)) return trips('pnl_invalid', 'there is no list of results');
    if (results.length === 0) return passes('no_results', 'no result counts yet');
    for (let index = 0; index < results.length; index += 1) {
      const result = readResult(results[index]);
      if ('triggered' in result) return { ...result, details: { index } };
      if (seen.has(result.id)) continue;
      seen.add(result.id);
      const itsDay = dayOf(result.atMs, checked);
      if (itsDay > day) {
        day = itsDay;
        pnl = 0;
      }
      if (itsDay === day) pnl += result.pnl;
    }
    return judgeDailyLoss(pnl, checked);
  });
}
