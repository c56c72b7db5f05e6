/**
 * Reads what the venue answers to its traders. By hand, where the venue itself has the schemas of `wire.ts`: an exit worker that
 * is started in an emergency shall not first load a library of schemas. A test holds both to each other.
 */
import type {
  BrokerCapabilities,
  BrokerRejectedError,
  CancelResult,
  OrderReport,
  Position,
  Query,
  WorkingOrder,
} from '../../broker/broker.js';
import { JsonReader, MalformedJsonError } from './jsonReader.js';
import type { BarsAnswer, VenueBar } from './wire.js';

export type Decoder<T> = (answer: JsonReader) => T;

/** `malformed` says which value of the answer is of another shape. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly malformed: MalformedJsonError };

export function decodeAnswer<T>(decode: Decoder<T>, body: unknown): Decoded<T> {
  try {
    return { ok: true, value: decode(new JsonReader(body)) };
  } catch (error) {
    if (error instanceof MalformedJsonError) return { ok: false, malformed: error };
    throw error;
  }
}

const REJECT_REASONS = ['market_closed', 'too_small', 'reduce_only', 'duplicate_client_order_id', 'other'] as const;
const SYMBOL = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$/;
const ACCOUNT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const symbolOf = (answer: JsonReader) => answer.at('symbol').matching(SYMBOL);
const positionSideOf = (answer: JsonReader) => answer.at('positionSide').oneOf(['net', 'long', 'short']);

export const orderReport: Decoder<OrderReport> = (answer) => ({
  orderId: answer.at('orderId').text(),
  ...answer.optional('clientOrderId', (id) => ({ clientOrderId: id.text() })),
  status: answer.at('status').oneOf(['working', 'filled', 'canceled', 'rejected', 'expired']),
  filledQuantity: answer.at('filledQuantity').number(),
  ...answer.optional('reason', (reason) => ({ reason: reason.text() })),
});

export const cancelAnswer: Decoder<CancelResult> = (answer) => answer.at('result').oneOf(['canceled', 'already_terminal', 'not_found']);

export const queryAnswer: Decoder<Query> = (answer) =>
  answer.at('found').boolean() ? { found: true, report: orderReport(answer.at('report')) } : { found: false };

const position: Decoder<Position> = (answer) => ({
  symbol: symbolOf(answer),
  positionSide: positionSideOf(answer),
  quantity: answer.at('quantity').number(),
  ...answer.optional('markPrice', (price) => ({ markPrice: price.number() })),
});

export const positionsAnswer: Decoder<readonly Position[]> = (answer) => answer.at('positions').list(position);

const workingOrder: Decoder<WorkingOrder> = (answer) => ({
  orderId: answer.at('orderId').text(),
  ...answer.optional('clientOrderId', (id) => ({ clientOrderId: id.text() })),
  symbol: symbolOf(answer),
  positionSide: positionSideOf(answer),
  side: answer.at('side').oneOf(['buy', 'sell']),
  type: answer.at('type').oneOf(['market', 'limit', 'stop']),
  quantity: answer.at('quantity').number(),
  filledQuantity: answer.at('filledQuantity').number(),
  reduceOnly: answer.at('reduceOnly').boolean(),
  ...answer.optional('limitPrice', (price) => ({ limitPrice: price.number() })),
  ...answer.optional('stopPrice', (price) => ({ stopPrice: price.number() })),
});

export const ordersAnswer: Decoder<readonly WorkingOrder[]> = (answer) => answer.at('orders').list(workingOrder);

export interface AccountInfo {
  readonly account: string;
  readonly environment: string;
  readonly positionMode: 'one_way' | 'hedge';
  readonly capabilities: BrokerCapabilities;
}

export const accountAnswer: Decoder<AccountInfo> = (answer) => {
  const defaultMinQuantity = answer.at('defaultMinQuantity').number();
  const minQuantities = answer.at('minQuantities').map((quantity) => quantity.number());
  return {
    account: answer.at('account').matching(ACCOUNT),
    environment: answer.at('environment').text(),
    positionMode: answer.at('positionMode').oneOf(['one_way', 'hedge']),
    capabilities: {
      reduceOnly: answer.at('reduceOnly').oneOf(['enforced', 'rejected']),
      clientOrderIds: answer.at('clientOrderIds').oneOf(['forever', 'while_open', 'none']),
      ...answer.optional('orderExpiryMs', (age) => ({ orderExpiryMs: age.number() })),
      readLagMs: answer.at('readLagMs').number(),
      minQuantity: (symbol) => minQuantities.get(symbol) ?? defaultMinQuantity,
    },
  };
};

export interface VenueError {
  readonly error: string;
  /** Present exactly where the venue surely did not take the order. */
  readonly reason?: BrokerRejectedError['reason'];
}

export const errorAnswer: Decoder<VenueError> = (answer) => ({
  error: answer.at('error').text(),
  ...answer.optional('reason', (reason) => ({ reason: reason.oneOf(REJECT_REASONS) })),
});

const bar: Decoder<VenueBar> = (answer) => ({
  index: answer.at('index').whole(),
  openMs: answer.at('openMs').number(),
  open: answer.at('open').above(0),
  high: answer.at('high').above(0),
  low: answer.at('low').above(0),
  close: answer.at('close').above(0),
  volume: answer.at('volume').atLeast(0),
});

export const barsAnswer: Decoder<BarsAnswer> = (answer) => ({
  index: answer.at('index').whole(),
  count: answer.at('count').whole(),
  bars: [...answer.at('bars').list(bar)],
});
