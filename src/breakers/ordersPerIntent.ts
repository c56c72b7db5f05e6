/** Trips where more orders go out than the intents that came in can have caused. */
import { checkOrdersPerIntent, type OrdersPerIntentOptions } from './options.js';
import { againstLimit, type CheckResult, evaluated, trips } from './result.js';

export function judgeOrdersPerIntent(orders: number, intents: number, { max, allowance, windowMs }: OrdersPerIntentOptions): CheckResult {
  const words = { code: 'orders_exceed_intents', what: `orders within ${windowMs} ms:`, details: { intents, windowMs } } as const;
  return againstLimit(orders, intents * max + allowance, words);
}

/** Both counted over the same window. Never throws on data. Throws `ConfigurationError` for an option that cannot hold. */
export function ordersPerIntent(
  counts: { readonly orders: number; readonly intents: number },
  options: Partial<OrdersPerIntentOptions> & Pick<OrdersPerIntentOptions, 'max' | 'windowMs'>,
): CheckResult {
  const checked = checkOrdersPerIntent('ordersPerIntent', options);
  return evaluated(() => {
    const { orders, intents } = counts;
    const areCounts = [orders, intents].every((count) => Number.isSafeInteger(count) && count >= 0);
    return areCounts ? judgeOrdersPerIntent(orders, intents, checked) : trips('count_invalid', 'orders and intents must be counts');
  });
}
