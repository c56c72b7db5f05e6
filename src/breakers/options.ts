/** The configuration of the breakers: what each can be told, and its defaults. Everything is off unless it is named. */
import { checkInteger, checkNumber, checkOneOf } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { checkGroup, type Rules } from './schema.js';

/** What a check says where it has not enough data: `trip` counts as triggered. */
export type OnInsufficientData = 'allow' | 'trip';

export interface MissingDataOptions {
  /** Default `trip`. */
  readonly onInsufficientData: OnInsufficientData;
}

export interface StaleDataOptions {
  /** The oldest that the newest bar may be, by the time of its receipt on the monotonic clock. */
  readonly maxAgeMs: number;
  /** The distance between two bars by their own times. Default 0: gaps are not looked for. */
  readonly expectedIntervalMs: number;
  /** How many bars may be missing between two. Default 2. */
  readonly maxMissingBars: number;
}

/** `robust` takes the closes through a median of three, so that one bad print is no volatility; it answers one bar later. */
export type Estimator = 'plain' | 'robust';

export interface VolatilityOptions {
  /** Trips when the recent sigma is more than this many times the baseline's. Default 0: off. */
  readonly threshold: number;
  /** Log returns in the recent window. Default 5. */
  readonly recentN: number;
  /** Log returns before the recent window, none of them in it. Default 30. */
  readonly baselineN: number;
  /** Default `robust`. */
  readonly estimator: Estimator;
  /** A smaller baseline counts as this much, so that a frozen price is no division by zero. Sigma of one log return. Default 1e-12. */
  readonly minBaseline: number;
  /** While the windows fill. Default `allow`. */
  readonly onInsufficientData: OnInsufficientData;
}

export interface LossOptions {
  /** This many losses in a row trip. Default 0: off. */
  readonly max: number;
  /** This many losses among the last results trip, whatever stands between. Default: off. */
  readonly inLast: LossesInLast | undefined;
  /** Losses of this sum within the time before the newest result trip; wins do not make up for them. Default: off. */
  readonly lossSum: LossSum | undefined;
}

export interface LossesInLast {
  readonly losses: number;
  readonly results: number;
}

export interface LossSum {
  /** In the unit of the results. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface DrawdownOptions {
  /** Share of the peak that may be lost: 0.1 is 10 %. */
  readonly maxFraction: number;
}

export interface DailyLossOptions {
  /** Net loss of one day, in the unit of the results, that trips. */
  readonly limit: number;
  /** When the day begins, in minutes after midnight UTC. Default 0. */
  readonly dayStartsAtUtcMinutes: number;
}

export interface OrderRateOptions {
  /** Orders within the window that still pass. */
  readonly max: number;
  readonly windowMs: number;
}

export interface RepeatedOrderOptions {
  /** How many orders that are alike in symbol, side, quantity and price still pass within the window. */
  readonly max: number;
  readonly windowMs: number;
}

export interface OrdersPerIntentOptions {
  /** Orders that one intent may cause. */
  readonly max: number;
  /** Orders that may go out beyond that. Default 0. */
  readonly allowance: number;
  readonly windowMs: number;
}

export interface NotionalOptions {
  /** The most that quantity times price of one order may be. Default: off. */
  readonly perOrder: number | undefined;
  /** The most of all orders within the window together. Default: off. */
  readonly perWindow: number | undefined;
  /** Default 60,000. */
  readonly windowMs: number;
}

export interface PriceCollarOptions {
  /** How far an order's price may be from the reference, as a share of it. */
  readonly maxDeviation: number;
}

export interface QuoteOptions {
  /** The widest spread, as a share of the middle. Default: off. */
  readonly maxSpread: number | undefined;
  /** The oldest quote, by the time of its receipt on the monotonic clock. Default: off. */
  readonly maxAgeMs: number | undefined;
}

const WHETHER = ['allow', 'trip'] as const;
const LARGEST_WINDOW = 1_000_000;
const DAY_MINUTES = 1_440;
/** No two prices that a number can hold are further apart, in log returns. */
const LARGEST_LOG_RETURN = 1_500;

const positive = (field: string, value: unknown): number => checkNumber(field, value, { min: Number.MIN_VALUE });
// No timer stands behind any of them: a month is as good as a second.
const duration = (field: string, value: unknown): number => checkNumber(field, value, { min: 1, max: Number.MAX_SAFE_INTEGER });
const count = (field: string, value: unknown): number => checkInteger(field, value, { min: 1, max: LARGEST_WINDOW });
const countOrOff = (field: string, value: unknown): number => checkInteger(field, value, { min: 0, max: LARGEST_WINDOW });
const whether = (field: string, value: unknown): OnInsufficientData => checkOneOf(field, value, WHETHER);

export const MISSING_DATA_DEFAULTS: MissingDataOptions = { onInsufficientData: 'trip' };
export const STALE_DATA_DEFAULTS: Pick<StaleDataOptions, 'expectedIntervalMs' | 'maxMissingBars'> = {
  expectedIntervalMs: 0,
  maxMissingBars: 2,
};
export const VOLATILITY_DEFAULTS: VolatilityOptions = {
  threshold: 0,
  recentN: 5,
  baselineN: 30,
  estimator: 'robust',
  minBaseline: 1e-12,
  onInsufficientData: 'allow',
};
export const LOSS_DEFAULTS: LossOptions = { max: 0, inLast: undefined, lossSum: undefined };
export const DAILY_LOSS_DEFAULTS: Pick<DailyLossOptions, 'dayStartsAtUtcMinutes'> = { dayStartsAtUtcMinutes: 0 };
export const INTENT_DEFAULTS: Pick<OrdersPerIntentOptions, 'allowance'> = { allowance: 0 };
export const NOTIONAL_DEFAULTS: NotionalOptions = { perOrder: undefined, perWindow: undefined, windowMs: 60_000 };
export const QUOTE_DEFAULTS: QuoteOptions = { maxSpread: undefined, maxAgeMs: undefined };

export const VOLATILITY_RULES: Rules<VolatilityOptions> = {
  threshold: (field, value) => checkNumber(field, value, { min: 0 }),
  // The sigma of a single return is zero: a window of one could never trip.
  recentN: (field, value) => checkInteger(field, value, { min: 2, max: LARGEST_WINDOW }),
  baselineN: (field, value) => checkInteger(field, value, { min: 2, max: LARGEST_WINDOW }),
  estimator: (field, value) => checkOneOf(field, value, ['plain', 'robust']),
  minBaseline: positive,
  onInsufficientData: whether,
};

export const LOSS_RULES: Rules<LossOptions> = {
  max: countOrOff,
  inLast: (field, value) => {
    const inLast = checkGroup<LossesInLast>(field, value, { losses: count, results: count });
    if (inLast.losses > inLast.results) {
      throw new ConfigurationError(
        `${field}.losses`,
        inLast.losses,
        `can never be reached: must be at most ${field}.results = ${inLast.results}`,
      );
    }
    return inLast;
  },
  lossSum: (field, value) => checkGroup<LossSum>(field, value, { limit: positive, windowMs: duration }),
};

export const checkMissingData = (field: string, given: unknown): MissingDataOptions =>
  checkGroup<MissingDataOptions>(field, given, { onInsufficientData: whether }, MISSING_DATA_DEFAULTS);

export const checkStaleData = (field: string, given: unknown): StaleDataOptions =>
  checkGroup<StaleDataOptions>(
    field,
    given,
    {
      maxAgeMs: duration,
      expectedIntervalMs: (name, value) => checkNumber(name, value, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      maxMissingBars: countOrOff,
    },
    STALE_DATA_DEFAULTS,
  );

export function checkVolatility(field: string, given: unknown): VolatilityOptions {
  const options = checkGroup<VolatilityOptions>(field, given, VOLATILITY_RULES, VOLATILITY_DEFAULTS);
  if (options.threshold * options.minBaseline > LARGEST_LOG_RETURN) {
    throw new ConfigurationError(
      `${field}.threshold`,
      options.threshold,
      `can never be reached: threshold times minBaseline must be at most ${LARGEST_LOG_RETURN}, beyond which no two prices are apart`,
    );
  }
  return options;
}

export const checkLosses = (field: string, given: unknown): LossOptions => checkGroup<LossOptions>(field, given, LOSS_RULES, LOSS_DEFAULTS);

export const checkDrawdown = (field: string, given: unknown): DrawdownOptions =>
  checkGroup<DrawdownOptions>(field, given, {
    // An equity of zero is a fault of its own: a share of 1 could never be reached.
    maxFraction: (name, value) => checkNumber(name, value, { min: Number.MIN_VALUE, max: 1 - 1e-9 }),
  });

export const checkDailyLoss = (field: string, given: unknown): DailyLossOptions =>
  checkGroup<DailyLossOptions>(
    field,
    given,
    { limit: positive, dayStartsAtUtcMinutes: (name, value) => checkInteger(name, value, { min: 0, max: DAY_MINUTES - 1 }) },
    DAILY_LOSS_DEFAULTS,
  );

export const checkOrderRate = (field: string, given: unknown): OrderRateOptions =>
  checkGroup<OrderRateOptions>(field, given, { max: countOrOff, windowMs: duration });

export const checkRepeatedOrders = (field: string, given: unknown): RepeatedOrderOptions =>
  checkGroup<RepeatedOrderOptions>(field, given, { max: count, windowMs: duration });

export const checkOrdersPerIntent = (field: string, given: unknown): OrdersPerIntentOptions =>
  checkGroup<OrdersPerIntentOptions>(field, given, { max: positive, allowance: countOrOff, windowMs: duration }, INTENT_DEFAULTS);

export function checkNotional(field: string, given: unknown): NotionalOptions {
  const options = checkGroup<NotionalOptions>(
    field,
    given,
    { perOrder: positive, perWindow: positive, windowMs: duration },
    NOTIONAL_DEFAULTS,
  );
  if (options.perOrder === undefined && options.perWindow === undefined) {
    throw new ConfigurationError(field, given, 'must set perOrder or perWindow: without either it can never trip');
  }
  return options;
}

export const checkPriceCollar = (field: string, given: unknown): PriceCollarOptions =>
  checkGroup<PriceCollarOptions>(field, given, { maxDeviation: positive });

export function checkQuote(field: string, given: unknown): QuoteOptions {
  const options = checkGroup<QuoteOptions>(
    field,
    given,
    // Ask and bid are above zero: their distance is less than twice the middle.
    { maxSpread: (name: string, value: unknown) => checkNumber(name, value, { min: Number.MIN_VALUE, max: 2 - 1e-9 }), maxAgeMs: duration },
    QUOTE_DEFAULTS,
  );
  if (options.maxSpread === undefined && options.maxAgeMs === undefined) {
    throw new ConfigurationError(field, given, 'must set maxSpread or maxAgeMs: without either it can never trip');
  }
  return options;
}
