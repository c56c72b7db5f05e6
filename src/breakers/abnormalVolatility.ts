/** Trips where the newest returns scatter far more than those before them. */
import { firstPriceFault } from './bar.js';
import { checkVolatility, type VolatilityOptions } from './options.js';
import { type CheckResult, evaluated, OFF, trips } from './result.js';
import { closesNeeded, insufficientData, judgeVolatility, logReturn, medianOfThree, sigmaOf } from './volatility.js';

function filtered(closes: readonly number[]): number[] {
  const [, , ...later] = closes;
  return later.map((close, index) => medianOfThree(closes[index] ?? close, closes[index + 1] ?? close, close));
}

/**
 * Sigma of the last `recentN` log returns over sigma of the `baselineN` before them, oldest close first. The windows share no
 * return: a baseline that holds the recent window bounds the ratio by √(baselineN / recentN), and a threshold above could never trip.
 * Never throws on data. Throws `ConfigurationError` for an option that cannot hold.
 */
export function abnormalVolatility(closes: readonly number[], options: Partial<VolatilityOptions>): CheckResult {
  const checked = checkVolatility('abnormalVolatility', options);
  return evaluated(() => {
    if (checked.threshold === 0) return OFF;
    const given: unknown = closes;
    if (!Array.isArray(given)) return trips('price_missing', 'there is no list of closes');
    const needed = closesNeeded(checked);
    const used = closes.slice(-needed);
    const fault = firstPriceFault(used, 'close');
    if (fault.triggered) return fault;
    if (used.length < needed) return insufficientData(used.length, checked);
    const series = checked.estimator === 'robust' ? filtered(used) : used;
    const returns = series.slice(1).map((close, index) => logReturn(series[index] ?? close, close));
    return judgeVolatility(sigmaOf(returns.slice(-checked.recentN)), sigmaOf(returns.slice(0, checked.baselineN)), checked);
  });
}
