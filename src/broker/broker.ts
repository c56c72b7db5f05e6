/** The broker port: what an emergency exit needs of a venue. Adapters stand in `brokers/`. */
import { FailflatError } from '../errors.js';
import type { PositionSide, Side } from '../messages/order.js';

export type { PositionSide, Side };

export interface Position {
  /** One position for each symbol and side: a venue's lots come as their sum. */
  readonly symbol: string;
  readonly positionSide: PositionSide;
  /** Signed: below zero is short, also with a side of its own. Never zero. */
  readonly quantity: number;
  /** Price by which exposures are ordered, if the venue gives one. */
  readonly markPrice?: number;
}

export type OrderType = 'market' | 'limit' | 'stop';

export interface WorkingOrder {
  readonly orderId: string;
  readonly clientOrderId?: string;
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly side: Side;
  readonly type: OrderType;
  readonly quantity: number;
  readonly filledQuantity: number;
  /** As the venue holds it, not as it was sent. */
  readonly reduceOnly: boolean;
  readonly limitPrice?: number;
  readonly stopPrice?: number;
}

export interface OrderRequest {
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly side: Side;
  readonly type: OrderType;
  readonly quantity: number;
  readonly reduceOnly: boolean;
  readonly limitPrice?: number;
  readonly stopPrice?: number;
}

export type OrderStatus = 'working' | 'filled' | 'canceled' | 'rejected' | 'expired';

/** What the venue says of one order. Anything but `working` is terminal: its filled quantity will not change. */
export interface OrderReport {
  readonly orderId: string;
  readonly clientOrderId?: string;
  readonly status: OrderStatus;
  readonly filledQuantity: number;
  /** The venue's own words where it rejected. */
  readonly reason?: string;
}

export type Query = { readonly found: true; readonly report: OrderReport } | { readonly found: false };

export interface AccountIdentity {
  readonly account: string;
  /** For instance `paper`, `testnet`, `production`: an exit on the wrong one is refused. */
  readonly environment: string;
}

/** What this venue does for us. Safety never rests on `reduceOnly` alone: venues were seen to accept and ignore the flag. */
export interface BrokerCapabilities {
  /** `enforced`: the venue says that it caps an order at the position. `rejected`: it refuses orders that bear the flag. */
  readonly reduceOnly: 'enforced' | 'rejected';
  /** How long a client order id is refused a second time and can be found by query. */
  readonly clientOrderIds: 'forever' | 'while_open' | 'none';
  /** The venue ends any order at most this long after it was sent, whenever it arrives. Absent: never. */
  readonly orderExpiryMs?: number;
  /** Positions and orders may lag behind fills by this much. */
  readonly readLagMs: number;
  /** The smallest order that is accepted; a smaller position is dust. */
  minQuantity(symbol: string): number;
}

export type CancelResult = 'canceled' | 'already_terminal' | 'not_found';

export interface Broker {
  identity(signal?: AbortSignal): Promise<AccountIdentity>;
  capabilities(signal?: AbortSignal): Promise<BrokerCapabilities>;
  positions(signal?: AbortSignal): Promise<readonly Position[]>;
  openOrders(signal?: AbortSignal): Promise<readonly WorkingOrder[]>;
  /** Throws {@link BrokerRejectedError} when the venue surely did not take the order; any other error leaves its fate unknown. */
  submit(order: OrderRequest, signal?: AbortSignal): Promise<OrderReport>;
  cancel(order: Pick<WorkingOrder, 'orderId' | 'symbol'>, signal?: AbortSignal): Promise<CancelResult>;
  orderByClientId(symbol: string, clientOrderId: string, signal?: AbortSignal): Promise<Query>;
  close(): Promise<void>;
}

/** The order surely is not at the venue and never will be. */
export class BrokerRejectedError extends FailflatError {
  readonly reason: 'market_closed' | 'too_small' | 'reduce_only' | 'duplicate_client_order_id' | 'other';

  constructor(reason: BrokerRejectedError['reason'], detail: string, options?: ErrorOptions) {
    super('broker_rejected', detail, options);
    this.reason = reason;
  }
}

/** A read that failed, or a write whose fate is unknown. Never to be read as "nothing there". */
export class BrokerUnavailableError extends FailflatError {
  constructor(detail: string, options?: ErrorOptions) {
    super('broker_unavailable', detail, options);
  }
}
