/** The arithmetic of volatility, shared by the check over a list and the one over a stream. */
import type { VolatilityOptions } from './options.js';
import { type CheckResult, passes, trips } from './result.js';

/** The log return from one price to the next. Exactly 0 for equal prices, and accurate for prices that are close together. */
export function logReturn(previous: number, next: number): number {
  const ratio = next / previous;
  if (ratio > 0.5 && ratio < 2) return Math.log1p((next - previous) / previous);
  return Math.log(next) - Math.log(previous);
}

/** The middle one of three. */
export function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Population standard deviation, in two passes. */
export function sigmaOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / values.length);
}

/** How many closes fill both windows. */
export function closesNeeded({ recentN, baselineN, estimator }: VolatilityOptions): number {
  return recentN + baselineN + 1 + (estimator === 'robust' ? 2 : 0);
}

export function insufficientData(closes: number, options: VolatilityOptions): CheckResult {
  const needed = closesNeeded(options);
  const result = passes('volatility_insufficient_data', `${closes} closes of the ${needed} that fill both windows`, { closes, needed });
  return { ...result, triggered: options.onInsufficientData === 'trip' };
}

export function judgeVolatility(recentSigma: number, baselineSigma: number, { threshold, minBaseline }: VolatilityOptions): CheckResult {
  const isTiny = !(baselineSigma >= minBaseline);
  const limit = threshold * (isTiny ? minBaseline : baselineSigma);
  const ratio = recentSigma / (isTiny ? minBaseline : baselineSigma);
  const details = { recentSigma, baselineSigma, ratio, threshold, usage: ratio / threshold };
  // Written so that a figure that is no number trips.
  const over = !(recentSigma <= limit);
  if (isTiny) {
    const message = `the baseline is ${baselineSigma}, taken as ${minBaseline}: the recent volatility is ${ratio} times that`;
    return { triggered: over, reasonCode: 'volatility_baseline_too_small', message, details };
  }
  const message = `recent volatility is ${ratio.toPrecision(4)} times the baseline`;
  return over ? trips('abnormal_volatility', `${message}, more than ${threshold}`, details) : passes('ok', message, details);
}
