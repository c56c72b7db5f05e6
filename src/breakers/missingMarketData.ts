/** Trips where there are no bars, or bars that hold no price. */
import { checkMissingData, type MissingDataOptions } from './options.js';
import { type CheckResult, evaluated, OK, priceFault, trips } from './result.js';

export function noBars({ onInsufficientData }: MissingDataOptions): CheckResult {
  return { ...trips('no_bars', 'there are no bars'), triggered: onInsufficientData === 'trip' };
}

/** Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function missingMarketData(bars: readonly { readonly close: number }[], options: Partial<MissingDataOptions> = {}): CheckResult {
  const checked = checkMissingData('missingMarketData', options);
  return evaluated(() => {
    const given: unknown = bars;
    if (!Array.isArray(given) || given.length === 0) return noBars(checked);
    const list: readonly unknown[] = given;
    for (let index = 0; index < list.length; index += 1) {
      const bar = list[index];
      if (typeof bar !== 'object' || bar === null) return trips('bar_missing', `bar ${index} is missing`, { index });
      const fault = priceFault('close' in bar ? bar.close : undefined, `the close of bar ${index}`);
      if (fault !== undefined) return { ...fault, details: { index } };
    }
    return OK;
  });
}
