/** Trips where one order, or all orders of a time together, are worth too much. */

import { checkNotional, type NotionalOptions } from './options.js';
import { countedOrders, type OrderRecord, type TimedOrder } from './order.js';
import { againstLimit, type CheckResult, evaluated, nearest, OK, priceFault } from './result.js';

/** What an order is worth, or why that cannot be told. */
export function notionalOf({ price, quantity }: OrderRecord): number | CheckResult {
  return priceFault(price, 'the price of the order') ?? quantity * (price ?? Number.NaN);
}

export function judgeNotional(order: number, window: number, { perOrder, perWindow, windowMs }: NotionalOptions): CheckResult {
  const judged = [
    ...(perOrder === undefined ? [] : [againstLimit(order, perOrder, { code: 'order_notional', what: 'the notional of the order:' })]),
    ...(perWindow === undefined
      ? []
      : [againstLimit(window, perWindow, { code: 'window_notional', what: `the notional of ${windowMs} ms:`, details: { windowMs } })]),
  ];
  return judged.find(({ triggered }) => triggered) ?? nearest(judged);
}

/** Of the newest order of the list, and of all in the window. Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function notional(orders: readonly TimedOrder[], nowMs: number, options: Partial<NotionalOptions>): CheckResult {
  const checked = checkNotional('notional', options);
  return evaluated(() => {
    const counted = countedOrders(orders, nowMs, checked.windowMs);
    if ('triggered' in counted) return counted;
    let newest = 0;
    let sum = 0;
    for (const order of counted) {
      const worth = notionalOf(order);
      if (typeof worth !== 'number') return worth;
      newest = worth;
      sum += worth;
    }
    return counted.length === 0 ? OK : judgeNotional(newest, sum, checked);
  });
}
