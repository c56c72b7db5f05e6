/** One order as the breakers take it, before it is sent. */
import type { Side } from '../messages/order.js';
import type { IntentKind } from '../permission.js';
import { type CheckResult, isFiniteNumber, isFinitePositive, trips, wordsOf } from './result.js';

export interface OrderRecord {
  readonly symbol: string;
  readonly side: Side;
  readonly quantity: number;
  /** Its limit, or for a market order what it is expected to cost. Needed where notional or collar are limited. */
  readonly price?: number;
  /** Default `increase`. An order that reduces or cancels is not counted: no breaker stands in the way of an exit. */
  readonly intent?: IntentKind;
}

/** The order that was given, or why it is none. Its price is judged where one is needed. */
export function readOrder(given: unknown): OrderRecord | CheckResult {
  if (typeof given !== 'object' || given === null) return trips('quantity_invalid', 'there is no order where one was recorded');
  const { symbol, side, quantity, price, intent }: Partial<Record<keyof OrderRecord, unknown>> = given;
  if (typeof symbol !== 'string' || symbol === '') return trips('quantity_invalid', 'the order names no symbol');
  if (side !== 'buy' && side !== 'sell')
    return trips('quantity_invalid', `the side of the order is neither buy nor sell: ${wordsOf(side)}`);
  if (!isFinitePositive(quantity)) {
    return trips('quantity_invalid', `the quantity of the order is not a finite number above zero: ${wordsOf(quantity)}`);
  }
  return {
    symbol,
    side,
    quantity,
    // What is no number is no price either, and is told as such by who needs one.
    ...(price === undefined || price === null ? {} : { price: typeof price === 'number' ? price : Number.NaN }),
    // What is neither a reduction nor a cancel adds risk, whatever it calls itself.
    intent: intent === 'reduce' || intent === 'cancel' ? intent : 'increase',
  };
}

/** Orders that are alike in everything but their id. */
export function likenessOf({ symbol, side, quantity, price }: OrderRecord): string {
  return JSON.stringify([symbol, side, quantity, price ?? null]);
}

/** An order with the time at which it goes out. */
export interface TimedOrder extends OrderRecord {
  /** On the monotonic clock. */
  readonly atMs: number;
}

/** The orders that a check over a list counts: those of the window that ends at `nowMs`, or the fault of one that is none. */
export function countedOrders(orders: readonly TimedOrder[], nowMs: number, windowMs: number): readonly TimedOrder[] | CheckResult {
  const given: unknown = orders;
  if (!Array.isArray(given)) return trips('quantity_invalid', 'there is no list of orders');
  if (!Number.isFinite(nowMs)) return trips('time_invalid', 'the time is not a number of milliseconds');
  const counted: TimedOrder[] = [];
  for (let index = 0; index < orders.length; index += 1) {
    const order = readOrder(orders[index]);
    if ('triggered' in order) return { ...order, details: { index } };
    const atMs: unknown = orders[index]?.atMs;
    if (!isFiniteNumber(atMs)) return trips('time_invalid', 'the time of an order is not a number of milliseconds', { index });
    if (order.intent === 'increase' && atMs > nowMs - windowMs) counted.push({ ...order, atMs });
  }
  return counted;
}
