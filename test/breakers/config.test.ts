import { describe, expect, it } from 'vitest';
import { checkConfig, type StrategyBreakersConfig } from '../../src/breakers/config.js';
import { BREAKER_VARIABLES, breakersFrom } from '../../src/breakers/environment.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { ConfigurationError } from '../../src/errors.js';

const create = (config: unknown) => createStrategyBreakers('s', config as StrategyBreakersConfig);

describe('a configuration that cannot hold is an error at start', () => {
  const bad: readonly [string, unknown, string][] = [
    ['an unknown breaker', { volatilty: { threshold: 3 } }, 'breakers.volatilty'],
    ['an unknown option', { volatility: { treshold: 3 } }, 'breakers.volatility.treshold'],
    ['a limit that went missing', { volatility: undefined }, 'breakers.volatility'],
    ['a value that went missing', { consecutiveLosses: { max: undefined } }, 'breakers.consecutiveLosses.max'],
    ['a required value left out', { staleData: {} }, 'breakers.staleData.maxAgeMs'],
    ['a text for a number', { volatility: { threshold: '3' } }, 'breakers.volatility.threshold'],
    ['a threshold below zero', { volatility: { threshold: -1 } }, 'breakers.volatility.threshold'],
    ['a threshold that is no number', { volatility: { threshold: Number.NaN } }, 'breakers.volatility.threshold'],
    ['a threshold without end', { volatility: { threshold: Number.POSITIVE_INFINITY } }, 'breakers.volatility.threshold'],
    ['a window of one return, whose sigma is zero', { volatility: { threshold: 3, recentN: 1 } }, 'breakers.volatility.recentN'],
    ['a threshold above any pair of prices', { volatility: { threshold: 3, minBaseline: 1_000 } }, 'breakers.volatility.threshold'],
    ['a baseline of nothing', { volatility: { threshold: 3, minBaseline: 0 } }, 'breakers.volatility.minBaseline'],
    ['more losses than results', { consecutiveLosses: { inLast: { losses: 4, results: 3 } } }, 'breakers.consecutiveLosses.inLast.losses'],
    ['a loss sum of nothing', { consecutiveLosses: { lossSum: { limit: 0, windowMs: 1 } } }, 'breakers.consecutiveLosses.lossSum.limit'],
    ['a drawdown of more than all', { drawdown: { maxFraction: 1.5 } }, 'breakers.drawdown.maxFraction'],
    ['a drawdown of all, which an equity of nothing alone would be', { drawdown: { maxFraction: 1 } }, 'breakers.drawdown.maxFraction'],
    ['a spread that no quote has', { quote: { maxSpread: 2 } }, 'breakers.quote.maxSpread'],
    ['a quote breaker without a limit', { quote: {} }, 'breakers.quote'],
    ['a notional breaker without a limit', { notional: {} }, 'breakers.notional'],
    ['a probe of no order', { probe: { afterMs: 1, maxOrders: 0 } }, 'breakers.probe.maxOrders'],
    ['a probe of nothing', { probe: { afterMs: 1, types: [] } }, 'breakers.probe.types'],
    ['an error policy nobody knows', { onEvaluationError: 'ignore' }, 'breakers.onEvaluationError'],
    ['no configuration', undefined, 'breakers'],
  ];

  it.each(bad)('%s', (_what, config, field) => {
    expect(() => create(config)).toThrow(ConfigurationError);
    expect(() => create(config)).toThrow(expect.objectContaining({ field }));
  });

  it('and says which bound it breaks', () => {
    const message = (config: unknown): string => {
      try {
        checkConfig(config);
        return 'none';
      } catch (error) {
        return error instanceof ConfigurationError ? error.message : 'another error';
      }
    };
    const names = 'missingData, staleData, volatility';
    for (const wrong of [null, [], 3]) expect(message(wrong)).toContain(`must be an object with ${names}`);
    expect(message({ volatilty: 1 })).toBe(`breakers.volatilty = 1: is not an option: one of ${Object.keys(checkConfig({})).join(', ')}`);
    expect(message({ staleData: {} })).toContain('breakers.staleData.maxAgeMs = undefined: must be given');
    expect(message({ missingData: 'yes' })).toContain('must be true or false');
    expect(message({ probe: { afterMs: 1, types: 'all' } })).toContain('must be a list of missing_market_data, stale_market_data');
    expect(message({ probe: { afterMs: 1, types: ['quote', 'moon'] } })).toContain('breakers.probe.types[1] = "moon"');
    const tooFew = { consecutiveLosses: { inLast: { losses: 4, results: 3 } } };
    expect(message(tooFew)).toContain('can never be reached: must be at most breakers.consecutiveLosses.inLast.results = 3');
    expect(message({ quote: {} })).toContain('must set maxSpread or maxAgeMs: without either it can never trip');
    expect(message({ notional: {} })).toContain('must set perOrder or perWindow: without either it can never trip');
  });

  const MAX = 2_147_483_647;
  const bounds: readonly [string, (value: number) => object, least: number, most: number][] = [
    ['probe.afterMs', (afterMs) => ({ probe: { afterMs } }), 1, MAX],
    ['probe.maxOrders', (maxOrders) => ({ probe: { afterMs: 1, maxOrders } }), 1, 1_000],
    ['probe.maxAttempts', (maxAttempts) => ({ probe: { afterMs: 1, maxAttempts } }), 1, 1_000_000],
    ['probe.timeoutMs', (timeoutMs) => ({ probe: { afterMs: 1, timeoutMs } }), 1, MAX],
    ['futureToleranceMs', (futureToleranceMs) => ({ futureToleranceMs }), 0, MAX],
    ['maxStalenessMs', (maxStalenessMs) => ({ maxStalenessMs }), 20, 60_000],
    ['staleData.maxAgeMs', (maxAgeMs) => ({ staleData: { maxAgeMs } }), 1, Number.MAX_SAFE_INTEGER],
    ['staleData.maxMissingBars', (maxMissingBars) => ({ staleData: { maxAgeMs: 1, maxMissingBars } }), 0, 1_000_000],
    ['orderRate.max', (max) => ({ orderRate: { max, windowMs: 1 } }), 0, 1_000_000],
    ['repeatedOrders.max', (max) => ({ repeatedOrders: { max, windowMs: 1 } }), 1, 1_000_000],
    ['dailyLoss.dayStartsAtUtcMinutes', (dayStartsAtUtcMinutes) => ({ dailyLoss: { limit: 1, dayStartsAtUtcMinutes } }), 0, 1_439],
  ];

  it.each(bounds)('%s holds on its bounds and not beyond', (field, config, least, most) => {
    for (const value of [least, most]) expect(() => checkConfig(config(value))).not.toThrow();
    const beyond = most === Number.MAX_SAFE_INTEGER ? 2 ** 54 : most + 1;
    for (const value of [least - 1, beyond])
      expect(() => checkConfig(config(value))).toThrow(expect.objectContaining({ field: `breakers.${field}` }));
  });

  it('and so is a strategy whose name could not stand on the bus', () => {
    expect(() => createStrategyBreakers('a b', {})).toThrow(ConfigurationError);
  });
});

it('everything is off unless it is named', () => {
  const { missingData, onEvaluationError, futureToleranceMs, maxStalenessMs, ...others } = checkConfig({});
  expect([missingData, onEvaluationError, futureToleranceMs, maxStalenessMs]).toEqual([false, 'trip', 2_000, 1_000]);
  expect(Object.values(others).filter((value) => value !== undefined)).toEqual([]);
});

describe('the environment', () => {
  const from = (variables: Readonly<Record<string, string>>) => breakersFrom((name) => variables[name]);

  it('sets what it names', () => {
    expect(from({})).toEqual({});
    const config = from({
      STRATEGY_CB_VOL_RATIO_THRESHOLD: '3.5',
      STRATEGY_CB_VOL_RECENT_N: '6',
      STRATEGY_CB_VOL_BASELINE_N: '60',
      EXEC_CB_MAX_CONSECUTIVE_LOSSES: '4',
    });
    expect(config).toEqual({ volatility: { threshold: 3.5, recentN: 6, baselineN: 60 }, consecutiveLosses: { max: 4 } });
    expect(checkConfig(config).volatility).toMatchObject({ threshold: 3.5, recentN: 6, baselineN: 60, estimator: 'robust' });
  });

  it('leaves what is not set to the defaults, and takes numbers as people write them', () => {
    expect(from({ STRATEGY_CB_VOL_RATIO_THRESHOLD: '+3.25' })).toEqual({ volatility: { threshold: 3.25 } });
    const one = { STRATEGY_CB_VOL_RATIO_THRESHOLD: '3', STRATEGY_CB_VOL_RECENT_N: '6' };
    expect(from(one)).toStrictEqual({ volatility: { threshold: 3, recentN: 6 } });
    const other = { STRATEGY_CB_VOL_RATIO_THRESHOLD: '3', STRATEGY_CB_VOL_BASELINE_N: '60' };
    expect(from(other)).toStrictEqual({ volatility: { threshold: 3, baselineN: 60 } });
    expect(() => from({ EXEC_CB_MAX_CONSECUTIVE_LOSSES: 'x' })).toThrow(
      'EXEC_CB_MAX_CONSECUTIVE_LOSSES = "x": must be a plain decimal number',
    );
  });

  it('0 means off', () => {
    expect(from({ STRATEGY_CB_VOL_RATIO_THRESHOLD: '0', EXEC_CB_MAX_CONSECUTIVE_LOSSES: '0' })).toEqual({
      volatility: { threshold: 0 },
      consecutiveLosses: { max: 0 },
    });
  });

  const texts = ['', ' ', 'off', 'none', 'NaN', 'Infinity', '3,0', '0x3', '1e3', '-1', '3 ', 'three', '٣'];
  const cases = BREAKER_VARIABLES.flatMap((name) => texts.map((text) => [name, text] as const));

  it.each(cases)('S3: %s = %j is an error, never off', (name, text) => {
    const set = { STRATEGY_CB_VOL_RATIO_THRESHOLD: '3', [name]: text };
    expect(() => from(set)).toThrow(ConfigurationError);
    expect(() => from(set)).toThrow(expect.objectContaining({ field: name }));
  });

  it('a window without a threshold is an error: it would be a breaker that is silently off', () => {
    for (const name of ['STRATEGY_CB_VOL_RECENT_N', 'STRATEGY_CB_VOL_BASELINE_N'])
      expect(() => from({ [name]: '5' })).toThrow(
        'STRATEGY_CB_VOL_RATIO_THRESHOLD = undefined: must be set where a window of the volatility breaker is',
      );
  });
});
