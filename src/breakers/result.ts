/** The answer of every check, and the words in which it is given. */

/** Every reason that a check can give, triggered or not. Programs compare these; messages are for people. */
export const REASON_CODES = [
  // Nothing is wrong.
  'ok',
  'off',
  // Data that cannot be judged.
  'no_bars',
  'bar_missing',
  'price_missing',
  'price_not_a_number',
  'price_infinite',
  'price_negative',
  'price_zero',
  'time_invalid',
  'quantity_invalid',
  'pnl_invalid',
  'equity_invalid',
  'count_invalid',
  'bar_out_of_order',
  'bar_from_future',
  'result_from_future',
  'fill_refused',
  'results_missing',
  'evaluation_error',
  // Market data.
  'market_data_stale',
  'market_data_gap',
  'abnormal_volatility',
  'volatility_insufficient_data',
  'volatility_baseline_too_small',
  'no_quote',
  'quote_stale',
  'quote_crossed',
  'spread_too_wide',
  // Results.
  'no_results',
  'consecutive_losses',
  'losses_in_last',
  'loss_sum',
  'daily_loss',
  'no_equity',
  'drawdown',
  // Orders.
  'order_rate',
  'repeated_order',
  'orders_exceed_intents',
  'order_notional',
  'window_notional',
  'price_collar',
  'collar_no_reference',
  // The breakers themselves.
  'state_unknown',
] as const;

/** Characters of a trip's message. */
const KEPT_MESSAGE = 500;

export type ReasonCode = (typeof REASON_CODES)[number];

export type Details = Readonly<Record<string, number | string | boolean>>;

export interface CheckResult {
  /** True: no more risk may be added. */
  readonly triggered: boolean;
  readonly reasonCode: ReasonCode;
  readonly message: string;
  /** The figures behind it. `usage`, where there is one, is the share of the limit that is used: 1 is the limit itself. */
  readonly details: Details;
}

export const OK: CheckResult = Object.freeze({ triggered: false, reasonCode: 'ok', message: 'nothing is wrong', details: {} });
export const OFF: CheckResult = Object.freeze({ triggered: false, reasonCode: 'off', message: 'this check is off', details: {} });

export function trips(reasonCode: ReasonCode, message: string, details: Details = {}): CheckResult {
  return { triggered: true, reasonCode, message, details };
}

export function passes(reasonCode: ReasonCode, message: string, details: Details = {}): CheckResult {
  return { triggered: false, reasonCode, message, details };
}

/** What to print of a datum, even of one that has no text. */
export function wordsOf(value: unknown): string {
  try {
    const text = typeof value === 'object' && value !== null ? 'an object' : String(value);
    return text.length > 100 ? `${text.slice(0, 100)}…` : text;
  } catch {
    // An object without a string form: the check that asks must not fail over it.
    return 'something that has no text';
  }
}

/** A message that fills a record of the bus would keep its trip off it. */
export function shortened(message: string): string {
  return message.length > KEPT_MESSAGE ? `${message.slice(0, KEPT_MESSAGE)}…` : message;
}

/** A check never throws on data: what it throws is a reason to stop like any other. */
export function evaluated(check: () => CheckResult): CheckResult {
  try {
    return check();
  } catch (thrown) {
    return trips('evaluation_error', `the check failed: ${wordsOf(thrown instanceof Error ? thrown.message : thrown)}`);
  }
}

export function isFinitePositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

export function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Why this is no price, or undefined where it is one. */
export function priceFault(value: unknown, name = 'the price'): CheckResult | undefined {
  if (isFinitePositive(value)) return undefined;
  if (value === undefined || value === null) return trips('price_missing', `${name} is missing`);
  if (typeof value !== 'number' || Number.isNaN(value)) return trips('price_not_a_number', `${name} is not a number: ${wordsOf(value)}`);
  if (!Number.isFinite(value)) return trips('price_infinite', `${name} is infinite`);
  return value === 0 ? trips('price_zero', `${name} is zero`) : trips('price_negative', `${name} is negative: ${value}`);
}

/** A figure against its limit. */
export function againstLimit(
  value: number,
  limit: number,
  words: { readonly code: ReasonCode; readonly what: string; readonly details?: Details; readonly inclusive?: boolean },
): CheckResult {
  const over = words.inclusive === true ? !(value < limit) : !(value <= limit);
  const usage = limit > 0 ? value / limit : Number(value > 0);
  // Without a spread where there is nothing to spread: each order comes by here.
  const details = words.details === undefined ? { value, limit, usage } : { ...words.details, value, limit, usage };
  const relation = words.inclusive === true ? 'reaches the limit of' : 'is more than';
  return over
    ? trips(words.code, `${words.what} ${value} ${relation} ${limit}`, details)
    : passes('ok', `${words.what} ${value} of ${limit}`, details);
}

const usageOf = ({ details: { usage } }: CheckResult): number => (typeof usage === 'number' ? usage : 0);

/** Of several that pass, the one that is closest to its limit. */
export function nearest(results: readonly CheckResult[]): CheckResult {
  return results.reduce<CheckResult>((closest, result) => (usageOf(result) > usageOf(closest) ? result : closest), results[0] ?? OK);
}
