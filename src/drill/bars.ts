/** The price bars of a drill, and the bar in which the fault is placed: the worst of the series. */
import { createRequire } from 'node:module';
import { ConfigurationError } from '../errors.js';
import { readBars } from '../venue/bars.js';

export interface DrillBars {
  readonly file: string;
  readonly count: number;
  /** The bar with the largest range between low and high. */
  readonly crashIndex: number;
  readonly crashOpenMs: number;
}

/** Bars replayed before the crash bar: time to open positions and to trade. */
export const LEAD_BARS = 40;

/** AAPL daily bars 2013 to 2018, which hold the crash of 24 August 2015. */
export function defaultBarsFile(): string {
  try {
    return createRequire(import.meta.url).resolve('@observablehq/sample-datasets/aapl.csv');
  } catch (error) {
    throw new ConfigurationError(
      'bars',
      undefined,
      'must name a CSV of bars: the default series comes with the development install (@observablehq/sample-datasets)',
      { cause: error },
    );
  }
}

/** Throws {@link ConfigurationError} naming the file and line that cannot be read. */
export async function chooseBars(file: string = defaultBarsFile()): Promise<DrillBars> {
  const bars = await readBars(file);
  let crashIndex = -1;
  let widest = -1;
  for (const [index, bar] of bars.entries()) {
    const range = (bar.high - bar.low) / bar.low;
    if (index >= LEAD_BARS && range > widest) {
      widest = range;
      crashIndex = index;
    }
  }
  const crash = bars[crashIndex];
  if (crash === undefined) throw new ConfigurationError('bars', file, `must hold more than ${LEAD_BARS} bars`);
  return { file, count: bars.length, crashIndex, crashOpenMs: crash.openMs };
}
