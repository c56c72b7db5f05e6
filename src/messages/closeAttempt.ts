/** `system:panic_close:attempts`: each close is written here before it is sent, so that a successor can ask what became of it. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';
import type { PositionSide, Side } from './order.js';

export const CLOSE_ATTEMPTS = 'system:panic_close:attempts';

export interface CloseAttempt {
  readonly incident: string;
  readonly account: string;
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly side: Side;
  readonly quantity: number;
  /** 1, 2, … for each symbol and side of the incident; a new number only after the last is terminal. */
  readonly attempt: number;
  readonly clientOrderId: string;
  readonly fencingToken: number;
  readonly worker: string;
  readonly wallMs: number;
}

export function encodeCloseAttempt(attempt: CloseAttempt): Fields {
  return encode({
    incident: attempt.incident,
    account: attempt.account,
    symbol: attempt.symbol,
    position_side: attempt.positionSide,
    side: attempt.side,
    quantity: attempt.quantity,
    attempt: attempt.attempt,
    client_order_id: attempt.clientOrderId,
    fencing_token: attempt.fencingToken,
    worker: attempt.worker,
    ts: Math.round(attempt.wallMs),
  });
}

export function decodeCloseAttempt(fields: Fields): Decoded<CloseAttempt> {
  return decodeWith(fields, (reader) => ({
    incident: reader.text('incident'),
    account: reader.text('account'),
    symbol: reader.text('symbol'),
    positionSide: reader.oneOf('position_side', ['net', 'long', 'short']),
    side: reader.oneOf('side', ['buy', 'sell']),
    quantity: reader.amount('quantity'),
    attempt: reader.count('attempt'),
    clientOrderId: reader.text('client_order_id'),
    fencingToken: reader.count('fencing_token'),
    worker: reader.text('worker'),
    wallMs: reader.count('ts'),
  }));
}
