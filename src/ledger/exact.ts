/** Exact decimals: sums and products are never rounded, and only the share of a fee is ever divided. Loaded when a ledger is made. */
import { BigNumber } from 'bignumber.js';
import { ConfigurationError } from '../errors.js';

/** Decimal places that a figure may have, and to which the share of a fee is rounded. */
export const DECIMAL_PLACES = 30;
const LARGEST = '1e18';

// A constructor of its own: settings that a program makes on the shared one must not change a result here.
const Exact = BigNumber.clone({ DECIMAL_PLACES, ROUNDING_MODE: BigNumber.ROUND_HALF_EVEN, EXPONENTIAL_AT: 1e9 });

export type Decimal = BigNumber;
export const ZERO: Decimal = new Exact(0);

const DECIMAL_TEXT = /^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/;
const TEXT_LENGTH_MAX = 100;

/** `positive` refuses zero as well; `any` allows a rebate, which is a cost below zero. */
export type Sign = 'positive' | 'not_negative' | 'any';

const BOUNDS: Readonly<Record<Sign, string>> = {
  positive: 'above 0',
  not_negative: 'of at least 0',
  any: 'of either sign',
};

function allows(sign: Sign, value: Decimal): boolean {
  return sign === 'any' || (sign === 'positive' ? value.isGreaterThan(0) : value.isGreaterThanOrEqualTo(0));
}

/** A number, by its shortest decimal text, or a text. Throws a {@link ConfigurationError} naming field, value and bound. */
export function decimalOf(field: string, value: unknown, sign: Sign): Decimal {
  const bound = `must be a finite number or decimal text ${BOUNDS[sign]}, at most ${LARGEST}, with at most ${DECIMAL_PLACES} decimal places`;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > TEXT_LENGTH_MAX || !DECIMAL_TEXT.test(text)) {
    throw new ConfigurationError(field, value, bound);
  }
  const decimal = new Exact(text).plus(ZERO);
  const fits = decimal.abs().isLessThanOrEqualTo(LARGEST) && (decimal.decimalPlaces() ?? 0) <= DECIMAL_PLACES;
  if (!fits || !allows(sign, decimal)) throw new ConfigurationError(field, value, bound);
  return decimal;
}

/** Of a figure that this ledger wrote itself. */
export function exactOf(text: string): Decimal {
  return new Exact(text);
}

/** Without exponent and without a negative zero. */
export function textOf(value: Decimal): string {
  return value.isZero() ? '0' : value.toFixed();
}

/** The sum of decimal texts that this ledger wrote itself. */
export function sumOf(texts: readonly string[]): string {
  return textOf(texts.reduce((sum, text) => sum.plus(text), ZERO));
}

/**
 * What falls on the part of a whole that lies between `from` and `to`, pro rata. Shares of adjoining parts always add up to `total`:
 * each is the difference of two rounded running totals, so that what rounding takes from one it gives to the next.
 */
export function shareOf(total: Decimal, from: Decimal, to: Decimal, whole: Decimal): Decimal {
  const upTo = (part: Decimal): Decimal => total.times(part).div(whole);
  return upTo(to).minus(upTo(from));
}
