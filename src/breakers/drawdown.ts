/** Trips where too large a share of the highest equity is lost. */
import { checkDrawdown, type DrawdownOptions } from './options.js';
import { againstLimit, type CheckResult, evaluated, isFinitePositive, passes, trips, wordsOf } from './result.js';

export function equityFault(value: unknown): CheckResult | undefined {
  return isFinitePositive(value) ? undefined : trips('equity_invalid', `the equity is not a finite number above zero: ${wordsOf(value)}`);
}

export function judgeDrawdown(peak: number, equity: number, { maxFraction }: DrawdownOptions): CheckResult {
  const fraction = (peak - equity) / peak;
  return againstLimit(fraction, maxFraction, {
    code: 'drawdown',
    what: 'the lost share of the peak:',
    details: { peak, equity },
    inclusive: true,
  });
}

/** Equities, oldest first. Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function drawdown(equities: readonly number[], options: DrawdownOptions): CheckResult {
  const checked = checkDrawdown('drawdown', options);
  return evaluated(() => {
    if (!Array.isArray(equities)) return trips('equity_invalid', 'there is no list of equities');
    let peak = 0;
    let newest = 0;
    for (let index = 0; index < equities.length; index += 1) {
      const equity: unknown = equities[index];
      if (!isFinitePositive(equity)) return equityFault(equity) ?? trips('equity_invalid', 'an equity cannot be used');
      newest = equity;
      peak = Math.max(peak, equity);
    }
    return equities.length === 0 ? passes('no_equity', 'no equity is known yet') : judgeDrawdown(peak, newest, checked);
  });
}
