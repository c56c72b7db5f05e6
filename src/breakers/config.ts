/** The configuration of one strategy's breakers, complete and checked. */
import { checkInteger, checkNumber, checkOneOf } from '../checks.js';
import { MAX_TIMER_MS } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import {
  checkDailyLoss,
  checkDrawdown,
  checkLosses,
  checkNotional,
  checkOrderRate,
  checkOrdersPerIntent,
  checkPriceCollar,
  checkQuote,
  checkRepeatedOrders,
  checkStaleData,
  checkVolatility,
  type DailyLossOptions,
  type DrawdownOptions,
  type LossOptions,
  type NotionalOptions,
  type OrderRateOptions,
  type OrdersPerIntentOptions,
  type PriceCollarOptions,
  type QuoteOptions,
  type RepeatedOrderOptions,
  type StaleDataOptions,
  type VolatilityOptions,
} from './options.js';
import { checkGroup } from './schema.js';

/** What can trip. The code of a refusal is `circuit_breaker_` and one of these. */
export const BREAKER_TYPES = [
  'missing_market_data',
  'stale_market_data',
  'abnormal_volatility',
  'quote',
  'consecutive_losses',
  'daily_loss',
  'drawdown',
  'order_rate',
  'repeated_orders',
  'orders_per_intent',
  'notional',
  'price_collar',
  'invalid_data',
  'evaluation_error',
  'unknown_state',
] as const;

export type BreakerType = (typeof BREAKER_TYPES)[number];

/** Trips of the market's data: what was wrong can be seen to be over, so that a probe makes sense. */
export const PROBED_TYPES: readonly BreakerType[] = ['missing_market_data', 'stale_market_data', 'abnormal_volatility', 'quote'];

export interface ProbeOptions {
  /** From the trip to the first probe. A new trip begins it again. */
  readonly afterMs: number;
  /** Orders that one probe admits. All of them must be acknowledged. Default 1. */
  readonly maxOrders: number;
  /** Probes after which a person must reset. Default 3. */
  readonly maxAttempts: number;
  /** A probe that has not succeeded by then has failed. Default 60,000. */
  readonly timeoutMs: number;
  /** Only these types are probed; any other trip waits for a person. Default: those of market data. */
  readonly types: readonly BreakerType[];
}

/** What is not named is off; faulty data trips always. */
export interface StrategyBreakersConfig {
  /** No order before the first bar, and none after an empty list of bars. */
  readonly missingData?: boolean;
  readonly staleData?: Partial<StaleDataOptions> & Pick<StaleDataOptions, 'maxAgeMs'>;
  readonly volatility?: Partial<VolatilityOptions>;
  readonly quote?: Partial<QuoteOptions>;
  readonly consecutiveLosses?: Partial<LossOptions>;
  readonly dailyLoss?: Partial<DailyLossOptions> & Pick<DailyLossOptions, 'limit'>;
  readonly drawdown?: DrawdownOptions;
  readonly orderRate?: OrderRateOptions;
  readonly repeatedOrders?: RepeatedOrderOptions;
  readonly ordersPerIntent?: Partial<OrdersPerIntentOptions> & Pick<OrdersPerIntentOptions, 'max' | 'windowMs'>;
  readonly notional?: Partial<NotionalOptions>;
  readonly priceCollar?: PriceCollarOptions;
  /** A trip of the market's data may end by itself, on orders that are let through to try. Default: only a person resets. */
  readonly probe?: Partial<ProbeOptions> & Pick<ProbeOptions, 'afterMs'>;
  /** What a check that throws counts as. `allow` writes it down and goes on. Default `trip`. */
  readonly onEvaluationError?: 'trip' | 'allow';
  /** How far ahead of the clocks a bar may be dated. Default 2,000. */
  readonly futureToleranceMs?: number;
  /** With a bus: trips that were read there longer ago do not count, and orders are refused until they are read again. Default 1,000. */
  readonly maxStalenessMs?: number;
}

export interface CheckedConfig {
  readonly missingData: boolean;
  readonly staleData: StaleDataOptions | undefined;
  readonly volatility: VolatilityOptions | undefined;
  readonly quote: QuoteOptions | undefined;
  readonly consecutiveLosses: LossOptions | undefined;
  readonly dailyLoss: DailyLossOptions | undefined;
  readonly drawdown: DrawdownOptions | undefined;
  readonly orderRate: OrderRateOptions | undefined;
  readonly repeatedOrders: RepeatedOrderOptions | undefined;
  readonly ordersPerIntent: OrdersPerIntentOptions | undefined;
  readonly notional: NotionalOptions | undefined;
  readonly priceCollar: PriceCollarOptions | undefined;
  readonly probe: ProbeOptions | undefined;
  readonly onEvaluationError: 'trip' | 'allow';
  readonly futureToleranceMs: number;
  readonly maxStalenessMs: number;
}

export const PROBE_DEFAULTS: Omit<ProbeOptions, 'afterMs'> = { maxOrders: 1, maxAttempts: 3, timeoutMs: 60_000, types: PROBED_TYPES };

export const CONFIG_DEFAULTS: CheckedConfig = {
  missingData: false,
  staleData: undefined,
  volatility: undefined,
  quote: undefined,
  consecutiveLosses: undefined,
  dailyLoss: undefined,
  drawdown: undefined,
  orderRate: undefined,
  repeatedOrders: undefined,
  ordersPerIntent: undefined,
  notional: undefined,
  priceCollar: undefined,
  probe: undefined,
  onEvaluationError: 'trip',
  futureToleranceMs: 2_000,
  maxStalenessMs: 1_000,
};

function checkTypes(field: string, value: unknown): readonly BreakerType[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ConfigurationError(field, value, `must be a list of ${BREAKER_TYPES.join(', ')}`);
  return value.map((type, index) => checkOneOf(`${field}[${index}]`, type, BREAKER_TYPES));
}

const checkProbe = (field: string, given: unknown): ProbeOptions =>
  checkGroup<ProbeOptions>(
    field,
    given,
    {
      afterMs: (name, value) => checkNumber(name, value, { min: 1, max: MAX_TIMER_MS }),
      maxOrders: (name, value) => checkInteger(name, value, { min: 1, max: 1_000 }),
      maxAttempts: (name, value) => checkInteger(name, value, { min: 1, max: 1_000_000 }),
      timeoutMs: (name, value) => checkNumber(name, value, { min: 1, max: MAX_TIMER_MS }),
      types: checkTypes,
    },
    PROBE_DEFAULTS,
  );

export function checkBoolean(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new ConfigurationError(field, value, 'must be true or false');
  return value;
}

/** Throws {@link ConfigurationError} for the first value that cannot hold: a wrong limit is never taken for none. */
export function checkConfig(given: unknown): CheckedConfig {
  return checkGroup<CheckedConfig>(
    'breakers',
    given,
    {
      missingData: checkBoolean,
      staleData: checkStaleData,
      volatility: checkVolatility,
      quote: checkQuote,
      consecutiveLosses: checkLosses,
      dailyLoss: checkDailyLoss,
      drawdown: checkDrawdown,
      orderRate: checkOrderRate,
      repeatedOrders: checkRepeatedOrders,
      ordersPerIntent: checkOrdersPerIntent,
      notional: checkNotional,
      priceCollar: checkPriceCollar,
      probe: checkProbe,
      onEvaluationError: (field, value) => checkOneOf(field, value, ['trip', 'allow']),
      futureToleranceMs: (field, value) => checkNumber(field, value, { min: 0, max: MAX_TIMER_MS }),
      maxStalenessMs: (field, value) => checkNumber(field, value, { min: 20, max: 60_000 }),
    },
    CONFIG_DEFAULTS,
  );
}
