/** Trips where more orders go out than a time allows. */
import { checkOrderRate, type OrderRateOptions } from './options.js';
import { countedOrders, type TimedOrder } from './order.js';
import { againstLimit, type CheckResult, evaluated } from './result.js';

export function judgeOrderRate(orders: number, { max, windowMs }: OrderRateOptions): CheckResult {
  return againstLimit(orders, max, { code: 'order_rate', what: `orders within ${windowMs} ms:`, details: { windowMs } });
}

/** Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function orderRate(orders: readonly TimedOrder[], nowMs: number, options: OrderRateOptions): CheckResult {
  const checked = checkOrderRate('orderRate', options);
  return evaluated(() => {
    const counted = countedOrders(orders, nowMs, checked.windowMs);
    return 'triggered' in counted ? counted : judgeOrderRate(counted.length, checked);
  });
}
