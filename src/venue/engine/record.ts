/** The only ways in which the venue's books change and its record grows. */
import type { PositionSide } from '../../broker/broker.js';
import { type Account, type Effect, type NewEvent, positionKey, type VenueOrder, type VenueState } from './state.js';

/** The longest lag that a stale read may have: older changes are forgotten. */
export const MAX_STALE_MS = 60_000;

export function record(state: VenueState, nowMs: number, event: NewEvent): void {
  state.events.push({ seq: state.events.length + 1, atMs: nowMs, ...event });
}

export function schedule(state: VenueState, dueMs: number, effect: Effect): void {
  const order = state.scheduled++;
  let at = state.due.length;
  while (at > 0 && (state.due[at - 1]?.dueMs ?? -Infinity) > dueMs) at--;
  state.due.splice(at, 0, { dueMs, order, effect });
}

export function positionUnits(account: Account, symbol: string, positionSide: PositionSide): number {
  return account.positions.get(positionKey(symbol, positionSide))?.units ?? 0;
}

export function setPosition(
  state: VenueState,
  account: Account,
  position: { readonly symbol: string; readonly positionSide: PositionSide; readonly units: number },
  nowMs: number,
): void {
  const key = positionKey(position.symbol, position.positionSide);
  rememberChange(state, { atMs: nowMs, account: account.name, key, positionBefore: account.positions.get(key) });
  if (position.units === 0) account.positions.delete(key);
  else account.positions.set(key, position);
}

export function setOrder(state: VenueState, account: Account, order: VenueOrder, nowMs: number): void {
  rememberChange(state, {
    atMs: nowMs,
    account: account.name,
    orderId: order.orderId,
    orderBefore: account.orders.get(order.orderId),
  });
  account.orders.set(order.orderId, order);
  if (order.phase === 'ended') account.open.delete(order.orderId);
  else account.open.add(order.orderId);
}

function rememberChange(state: VenueState, change: VenueState['changes'][number]): void {
  state.changes.push(change);
  const oldest = state.changes[0];
  // Trimmed by halves, so that a change costs the same however many are kept.
  if (oldest === undefined || change.atMs - oldest.atMs <= 2 * MAX_STALE_MS) return;
  state.changes = state.changes.filter(({ atMs }) => change.atMs - atMs <= MAX_STALE_MS);
}

type OrderFacts = Pick<VenueOrder, 'account' | 'source' | 'orderId' | 'symbol' | 'positionSide' | 'side'> & {
  readonly clientOrderId?: string;
};

/** What every event about an order carries. */
export function orderFacts(order: VenueOrder): OrderFacts {
  return {
    account: order.account,
    source: order.source,
    orderId: order.orderId,
    ...(order.clientOrderId === undefined ? {} : { clientOrderId: order.clientOrderId }),
    symbol: order.symbol,
    positionSide: order.positionSide,
    side: order.side,
  };
}
