/** Accepts or rejects orders and cancels as they take effect. */
import type { OrderReport } from '../../broker/broker.js';
import type { CancelRequest, RejectReason, SubmitRequest } from '../../brokers/paper/wire.js';
import { activate, endOrder, expireIfOld, reducibleUnits } from './execution.js';
import { isClosed, strikes } from './faults.js';
import { orderFacts, record, schedule, setOrder } from './record.js';
import type { Account, PendingRequest, VenueAnswer, VenueOrder, VenueState } from './state.js';
import { fromUnits, toUnits } from './units.js';

export function reportOf(order: VenueOrder): OrderReport {
  return {
    orderId: order.orderId,
    ...(order.clientOrderId === undefined ? {} : { clientOrderId: order.clientOrderId }),
    status: order.status,
    filledQuantity: fromUnits(order.filledUnits),
    ...(order.reason === undefined ? {} : { reason: order.reason }),
  };
}

interface Objection {
  readonly reason: RejectReason;
  readonly detail: string;
}

function objectToShape(state: VenueState, order: SubmitRequest): Objection | undefined {
  const hedged = state.switches.positionMode === 'hedge';
  if (hedged === (order.positionSide === 'net')) {
    const expected = hedged ? 'long or short in hedge mode' : 'net in one-way mode';
    return { reason: 'other', detail: `positionSide = ${order.positionSide}: must be ${expected}` };
  }
  if (hedged && order.reduceOnly) return { reason: 'reduce_only', detail: 'reduceOnly is not taken in hedge mode' };
  if (order.type === 'limit' && order.limitPrice === undefined) return { reason: 'other', detail: 'limitPrice is missing' };
  if (order.type === 'stop' && order.stopPrice === undefined) return { reason: 'other', detail: 'stopPrice is missing' };
  const minimum = state.switches.minQuantities[order.symbol] ?? state.switches.defaultMinQuantity;
  if (order.quantity < minimum || toUnits(order.quantity) === 0) {
    return { reason: 'too_small', detail: `quantity = ${order.quantity}: must be at least ${Math.max(minimum, fromUnits(1))}` };
  }
  return undefined;
}

function objectToId(state: VenueState, account: Account, clientOrderId: string | undefined): Objection | undefined {
  if (clientOrderId === undefined || state.switches.clientOrderIds === 'never') return undefined;
  const known = account.byClientId.get(clientOrderId);
  if (known === undefined) return undefined;
  if (state.switches.clientOrderIds === 'while_open' && !account.open.has(known)) return undefined;
  return { reason: 'duplicate_client_order_id', detail: `clientOrderId = ${clientOrderId}: is that of order ${known}` };
}

function objectToReduceOnly(state: VenueState, account: Account, order: SubmitRequest): Objection | undefined {
  if (order.reduceOnly && state.switches.reduceOnly === 'rejected')
    return { reason: 'reduce_only', detail: 'reduceOnly is not taken here' };
  if (reducibleUnits(state, account, order) === 0) return { reason: 'reduce_only', detail: 'there is no position to reduce' };
  return undefined;
}

function objection(state: VenueState, account: Account, order: SubmitRequest, source: string): Objection | undefined {
  if (strikes(state, 'rejects', source, order.symbol)) return { reason: state.switches.rejects.reason, detail: 'rejected by the venue' };
  const found = objectToShape(state, order) ?? objectToId(state, account, order.clientOrderId) ?? objectToReduceOnly(state, account, order);
  if (found !== undefined) return found;
  if (isClosed(state, order.symbol) && state.switches.closedMarket.orders === 'reject') {
    return { reason: 'market_closed', detail: `${order.symbol} is closed` };
  }
  return undefined;
}

function acceptedOrder(state: VenueState, request: PendingRequest, order: SubmitRequest): VenueOrder {
  state.orders += 1;
  const { orderExpiryMs } = state.switches;
  // The sender's stamp may lie in the past (a frozen sender), never in the venue's future.
  const bornMs = Math.min(request.sender.sentMs ?? request.arrivedMs, request.arrivedMs);
  return {
    orderId: `o${state.orders}`,
    account: order.account,
    source: request.sender.source,
    clientOrderId: order.clientOrderId,
    symbol: order.symbol,
    positionSide: order.positionSide,
    side: order.side,
    type: order.type,
    units: toUnits(order.quantity),
    filledUnits: 0,
    reduceOnly: order.reduceOnly,
    limitPrice: order.limitPrice,
    stopPrice: order.stopPrice,
    status: 'working',
    phase: 'delayed',
    slicesFilled: 0,
    expiresAtMs: orderExpiryMs === null ? undefined : bornMs + orderExpiryMs,
    reason: undefined,
  };
}

export function handleSubmit(
  state: VenueState,
  account: Account,
  request: PendingRequest,
  order: SubmitRequest,
  nowMs: number,
): VenueAnswer {
  const { requestId, sender } = request;
  const objected = objection(state, account, order, sender.source);
  if (objected !== undefined) {
    record(state, nowMs, {
      kind: 'rejected',
      requestId,
      account: account.name,
      source: sender.source,
      symbol: order.symbol,
      ...(order.clientOrderId === undefined ? {} : { clientOrderId: order.clientOrderId }),
      ...objected,
    });
    return { kind: 'rejected', ...objected };
  }
  const accepted = acceptedOrder(state, request, order);
  setOrder(state, account, accepted, nowMs);
  if (accepted.clientOrderId !== undefined) account.byClientId.set(accepted.clientOrderId, accepted.orderId);
  record(state, nowMs, {
    kind: 'accepted',
    ...orderFacts(accepted),
    requestId,
    type: accepted.type,
    quantity: order.quantity,
    reduceOnly: accepted.reduceOnly,
  });
  if (!expireIfOld(state, account, accepted, nowMs)) {
    const { orderId, expiresAtMs } = accepted;
    if (expiresAtMs !== undefined) schedule(state, expiresAtMs, { kind: 'expire', account: account.name, orderId });
    const { executionDelayMs } = state.switches;
    if (executionDelayMs > 0) schedule(state, nowMs + executionDelayMs, { kind: 'activate', account: account.name, orderId });
    else activate(state, account, accepted, nowMs);
  }
  return { kind: 'report', report: reportOf(account.orders.get(accepted.orderId) ?? accepted) };
}

export function handleCancel(
  state: VenueState,
  account: Account,
  request: PendingRequest,
  cancel: CancelRequest,
  nowMs: number,
): VenueAnswer {
  const order = account.orders.get(cancel.orderId);
  const known = order !== undefined && order.symbol === cancel.symbol;
  const result = !known ? 'not_found' : order.phase === 'ended' ? 'already_terminal' : 'canceled';
  if (known && result === 'canceled') endOrder(state, account, order, 'canceled', undefined, nowMs);
  record(state, nowMs, {
    kind: 'cancel_answered',
    requestId: request.requestId,
    account: account.name,
    source: request.sender.source,
    orderId: cancel.orderId,
    result,
  });
  return { kind: 'cancel', result };
}
