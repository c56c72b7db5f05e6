/** Fills, ends and expires orders that have been accepted. */
import type { OrderStatus } from '../../broker/broker.js';
import { isClosed, strikes } from './faults.js';
import { orderFacts, positionUnits, record, schedule, setOrder, setPosition } from './record.js';
import type { Account, VenueOrder, VenueState } from './state.js';
import { fromUnits } from './units.js';

export function markPrice(state: VenueState): number {
  return state.replay.bars[state.replay.index]?.close ?? 0;
}

/** Buy and long is above zero. */
function direction(order: Pick<VenueOrder, 'side'>): 1 | -1 {
  return order.side === 'buy' ? 1 : -1;
}

/** In hedge mode every order against its own position side can only reduce it, whatever its flag. */
function mayOnlyReduce(state: VenueState, order: Pick<VenueOrder, 'positionSide' | 'side' | 'reduceOnly'>): boolean {
  if (order.positionSide === 'long') return order.side === 'sell';
  if (order.positionSide === 'short') return order.side === 'buy';
  return order.reduceOnly && state.switches.reduceOnly === 'enforced';
}

/** How many units this order could still take from its position; undefined: no such bound holds. */
export function reducibleUnits(
  state: VenueState,
  account: Account,
  order: Pick<VenueOrder, 'symbol' | 'positionSide' | 'side' | 'reduceOnly'>,
): number | undefined {
  if (!mayOnlyReduce(state, order)) return undefined;
  // `+ 0` turns the -0 of an empty position into 0.
  return Math.max(0, -direction(order) * positionUnits(account, order.symbol, order.positionSide)) + 0;
}

export function endOrder(
  state: VenueState,
  account: Account,
  order: VenueOrder,
  status: OrderStatus,
  reason: string | undefined,
  nowMs: number,
): void {
  setOrder(state, account, { ...order, status, phase: 'ended', reason }, nowMs);
  const filledQuantity = fromUnits(order.filledUnits);
  if (status === 'expired') record(state, nowMs, { kind: 'expired', ...orderFacts(order), filledQuantity, detail: reason ?? '' });
  if (status === 'canceled') record(state, nowMs, { kind: 'canceled', ...orderFacts(order), filledQuantity });
}

/** Ends the order if its time is over. A stalled or frozen venue must look here before each fill. */
export function expireIfOld(state: VenueState, account: Account, order: VenueOrder, nowMs: number): boolean {
  if (order.expiresAtMs === undefined || nowMs < order.expiresAtMs) return false;
  endOrder(state, account, order, 'expired', 'older than the venue keeps orders', nowMs);
  return true;
}

/** The order may execute from now on: a market order does, the others look at the present price. */
export function activate(state: VenueState, account: Account, order: VenueOrder, nowMs: number): void {
  if (expireIfOld(state, account, order, nowMs)) return;
  if (isClosed(state, order.symbol)) {
    setOrder(state, account, { ...order, phase: 'queued' }, nowMs);
    return;
  }
  if (order.type === 'market') {
    if (strikes(state, 'expireMarketOrders', order.source, order.symbol)) {
      endOrder(state, account, order, 'expired', 'no counterparty', nowMs);
      return;
    }
    fillSlice(state, account, order, markPrice(state), nowMs);
    return;
  }
  setOrder(state, account, { ...order, phase: 'resting' }, nowMs);
  const mark = markPrice(state);
  offerPrices(state, account, order.orderId, { open: mark, high: mark, low: mark }, nowMs);
}

/** Triggers a resting stop and fills a resting limit order if these prices reach it. */
export function offerPrices(
  state: VenueState,
  account: Account,
  orderId: string,
  { open, high, low }: { readonly open: number; readonly high: number; readonly low: number },
  nowMs: number,
): void {
  const order = account.orders.get(orderId);
  if (order?.phase !== 'resting' || isClosed(state, order.symbol)) return;
  if (expireIfOld(state, account, order, nowMs)) return;
  const buys = order.side === 'buy';
  if (order.type === 'limit' && order.limitPrice !== undefined) {
    const crossed = buys ? low <= order.limitPrice : high >= order.limitPrice;
    const price = buys ? Math.min(order.limitPrice, open) : Math.max(order.limitPrice, open);
    if (crossed) fillSlice(state, account, order, price, nowMs);
  }
  if (order.type === 'stop' && order.stopPrice !== undefined) {
    const reached = buys ? high >= order.stopPrice : low <= order.stopPrice;
    if (!reached) return;
    // A gap through the stop fills at the open, which is worse than the stop.
    const price = buys ? Math.max(order.stopPrice, open) : Math.min(order.stopPrice, open);
    record(state, nowMs, { kind: 'triggered', ...orderFacts(order), price });
    fillSlice(state, account, order, price, nowMs);
  }
}

function sliceUnits(state: VenueState, order: VenueOrder): number {
  const { slices } = state.switches.partialFills;
  const remaining = order.units - order.filledUnits;
  if (order.slicesFilled + 1 >= slices) return remaining;
  return Math.min(remaining, Math.max(1, Math.floor(order.units / slices)));
}

/** Fills the next slice of an order that is not ended, never more than a reduce-only order may take. */
export function fillSlice(state: VenueState, account: Account, order: VenueOrder, price: number, nowMs: number): void {
  if (expireIfOld(state, account, order, nowMs)) return;
  const reducible = reducibleUnits(state, account, order);
  const units = Math.min(sliceUnits(state, order), reducible ?? Infinity);
  if (units === 0) {
    endOrder(state, account, order, 'expired', 'nothing left to reduce', nowMs);
    return;
  }
  const before = positionUnits(account, order.symbol, order.positionSide);
  const after = before + direction(order) * units;
  const filled = { ...order, filledUnits: order.filledUnits + units, slicesFilled: order.slicesFilled + 1 };
  setPosition(state, account, { symbol: order.symbol, positionSide: order.positionSide, units: after }, nowMs);
  record(state, nowMs, {
    kind: 'fill',
    ...orderFacts(order),
    quantity: fromUnits(units),
    price,
    reduceOnly: order.reduceOnly,
    positionBefore: fromUnits(before),
    positionAfter: fromUnits(after),
  });
  afterSlice(state, account, filled, reducible !== undefined && units === reducible, nowMs);
}

function afterSlice(state: VenueState, account: Account, order: VenueOrder, exhausted: boolean, nowMs: number): void {
  const { intervalMs, endAfter } = state.switches.partialFills;
  if (order.filledUnits === order.units) endOrder(state, account, order, 'filled', undefined, nowMs);
  else if (exhausted) endOrder(state, account, order, 'expired', 'nothing left to reduce', nowMs);
  else if (endAfter !== null && order.slicesFilled >= endAfter) endOrder(state, account, order, 'expired', 'no more counterparties', nowMs);
  else {
    setOrder(state, account, { ...order, phase: 'executing' }, nowMs);
    schedule(state, nowMs + intervalMs, { kind: 'slice', account: account.name, orderId: order.orderId });
  }
}
