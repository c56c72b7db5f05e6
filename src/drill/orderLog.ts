/** `drill:orders`: each attempt of the drill's strategy to send an order, and what became of it, in its own words. */
import { type Decoded, decodeWith, encode, type Fields } from '../messages/fields.js';

export const DRILL_ORDERS = 'drill:orders';

export interface OrderAttempt {
  /** The strategy's monotonic clock at the door. */
  readonly atMs: number;
  readonly clientOrderId: string;
  readonly result: 'admitted' | 'refused';
  /** The refusal's code. */
  readonly code?: string;
}

export function encodeOrderAttempt(attempt: OrderAttempt): Fields {
  return encode({
    at_ms: attempt.atMs,
    client_order_id: attempt.clientOrderId,
    result: attempt.result,
    code: attempt.code,
  });
}

export function decodeOrderAttempt(fields: Fields): Decoded<OrderAttempt> {
  return decodeWith(fields, (reader) => {
    const code = reader.optional('code');
    return {
      atMs: reader.amount('at_ms'),
      clientOrderId: reader.text('client_order_id'),
      result: reader.oneOf('result', ['admitted', 'refused']),
      ...(code === undefined ? {} : { code }),
    };
  });
}
