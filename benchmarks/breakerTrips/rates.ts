/** How often the volatility breaker trips on a series. */
import { checkVolatility, type VolatilityOptions } from '../../src/breakers/options.js';
import { VolatilityStream } from '../../src/breakers/volatilityStream.js';
import type { Series } from './series.js';

export const THRESHOLDS = [2, 3, 4, 5, 6, 8, 10] as const;
export const ESTIMATORS = ['plain', 'robust'] as const;
const PER_BARS = 10_000;

/** For each bar whether it triggers. */
export function triggersOn({ closes }: Series, options: Partial<VolatilityOptions>): boolean[] {
  const stream = new VolatilityStream(checkVolatility('volatility', options));
  return closes.map((close) => stream.push(close).triggered);
}

/** Bars that trigger after one that does not: a breaker that has tripped stays so. */
export function tripsPer10000(series: Series, options: Partial<VolatilityOptions>): number {
  const triggers = triggersOn(series, options);
  const trips = triggers.filter((triggered, index) => triggered && triggers[index - 1] !== true).length;
  return (trips / triggers.length) * PER_BARS;
}

/** As in the table: one digit after the point. */
export function rateTable(series: readonly Series[]): string[][] {
  return ESTIMATORS.flatMap((estimator) =>
    THRESHOLDS.map((threshold) => [
      estimator,
      String(threshold),
      ...series.map((one) => tripsPer10000(one, { estimator, threshold }).toFixed(1)),
    ]),
  );
}
