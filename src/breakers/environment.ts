/** The part of the configuration that operators set by environment variables, under the same rules as options. */
import { ConfigurationError } from '../errors.js';
import type { StrategyBreakersConfig } from './config.js';
import { LOSS_RULES, VOLATILITY_RULES } from './options.js';

/** The variables, by what they set. */
export const BREAKER_VARIABLES = [
  'STRATEGY_CB_VOL_RATIO_THRESHOLD',
  'STRATEGY_CB_VOL_RECENT_N',
  'STRATEGY_CB_VOL_BASELINE_N',
  'EXEC_CB_MAX_CONSECUTIVE_LOSSES',
] as const;

export type BreakerVariable = (typeof BREAKER_VARIABLES)[number];

const PLAIN_NUMBER = /^[+-]?\d+(\.\d+)?$/;

// `Number('')` is 0, and 0 means off: what is not plainly a number is refused before it can be read as one.
function numberIn(name: string, text: string): number {
  const number = Number(text);
  // Neither may what is too small for a number: it would be 0 too.
  if (!PLAIN_NUMBER.test(text) || (number === 0 && /[1-9]/.test(text))) {
    throw new ConfigurationError(name, text, 'must be a plain decimal number');
  }
  return number;
}

/**
 * What the variables say; one that is not set is left out. `0` turns its breaker off; anything that is not a number within its
 * bounds throws {@link ConfigurationError}, and so does a window without a threshold.
 */
export function breakersFrom(read: (name: BreakerVariable) => string | undefined): StrategyBreakersConfig {
  const value = <T>(name: BreakerVariable, check: (field: string, value: unknown) => T): T | undefined => {
    const text = read(name);
    return text === undefined ? undefined : check(name, numberIn(name, text));
  };
  const threshold = value('STRATEGY_CB_VOL_RATIO_THRESHOLD', VOLATILITY_RULES.threshold);
  const recentN = value('STRATEGY_CB_VOL_RECENT_N', VOLATILITY_RULES.recentN);
  const baselineN = value('STRATEGY_CB_VOL_BASELINE_N', VOLATILITY_RULES.baselineN);
  const max = value('EXEC_CB_MAX_CONSECUTIVE_LOSSES', LOSS_RULES.max);
  if (threshold === undefined && (recentN !== undefined || baselineN !== undefined)) {
    throw new ConfigurationError('STRATEGY_CB_VOL_RATIO_THRESHOLD', undefined, 'must be set where a window of the volatility breaker is');
  }
  return {
    ...(threshold === undefined
      ? {}
      : {
          volatility: {
            threshold,
            ...(recentN === undefined ? {} : { recentN }),
            ...(baselineN === undefined ? {} : { baselineN }),
          },
        }),
    ...(max === undefined ? {} : { consecutiveLosses: { max } }),
  };
}
