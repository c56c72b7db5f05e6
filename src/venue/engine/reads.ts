/** Answers reads, with the book as it is or as it was some time ago. */
import type { WorkingOrder } from '../../broker/broker.js';
import type { AccountAnswer } from '../../brokers/paper/wire.js';
import { markPrice } from './execution.js';
import { readsFailing, strikes } from './faults.js';
import { reportOf } from './orders.js';
import { record } from './record.js';
import type { Account, HeldPosition, PendingRequest, VenueAnswer, VenueOrder, VenueState } from './state.js';
import { fromUnits } from './units.js';

interface BookView {
  readonly positions: readonly HeldPosition[];
  readonly orders: ReadonlyMap<string, VenueOrder>;
}

/** The book of an account at `asOfMs`, by walking back over the changes since. */
export function bookAsOf(state: VenueState, account: Account, asOfMs: number): BookView {
  const newest = state.changes.at(-1);
  if (newest === undefined || newest.atMs <= asOfMs) return { positions: [...account.positions.values()], orders: account.orders };
  const positions = new Map(account.positions);
  const orders = new Map(account.orders);
  for (let at = state.changes.length - 1; at >= 0; at--) {
    const change = state.changes[at];
    if (change === undefined || change.atMs <= asOfMs) break;
    if (change.account !== account.name) continue;
    if ('key' in change) restore(positions, change.key, change.positionBefore);
    else restore(orders, change.orderId, change.orderBefore);
  }
  return { positions: [...positions.values()], orders };
}

function restore<T>(map: Map<string, T>, key: string, before: T | undefined): void {
  if (before === undefined) map.delete(key);
  else map.set(key, before);
}

function workingOrder(order: VenueOrder): WorkingOrder {
  return {
    orderId: order.orderId,
    ...(order.clientOrderId === undefined ? {} : { clientOrderId: order.clientOrderId }),
    symbol: order.symbol,
    positionSide: order.positionSide,
    side: order.side,
    type: order.type,
    quantity: fromUnits(order.units),
    filledQuantity: fromUnits(order.filledUnits),
    // As it was sent, also by a venue that ignores the flag: such a venue lies in its reads as well.
    reduceOnly: order.reduceOnly,
    ...(order.limitPrice === undefined ? {} : { limitPrice: order.limitPrice }),
    ...(order.stopPrice === undefined ? {} : { stopPrice: order.stopPrice }),
  };
}

function openOrders(account: Account, view: BookView): readonly WorkingOrder[] {
  // The present book has an index of its open orders; a past one is searched.
  const orders =
    view.orders === account.orders
      ? [...account.open].flatMap((orderId) => account.orders.get(orderId) ?? [])
      : [...view.orders.values()].filter(({ phase }) => phase !== 'ended');
  return orders.map(workingOrder);
}

function queryAnswer(state: VenueState, view: BookView, symbol: string, clientOrderId: string): VenueAnswer {
  const { clientOrderIds } = state.switches;
  if (clientOrderIds === 'never') return { kind: 'query', report: undefined };
  let found: VenueOrder | undefined;
  for (const order of view.orders.values()) {
    if (order.clientOrderId === clientOrderId && order.symbol === symbol) found = order;
  }
  if (found === undefined || (clientOrderIds === 'while_open' && found.phase === 'ended')) return { kind: 'query', report: undefined };
  return { kind: 'query', report: reportOf(found) };
}

export type ReadCommand = Extract<PendingRequest['command'], { kind: 'positions' | 'orders' | 'order' }>;

function readAnswer(state: VenueState, account: Account, command: ReadCommand, asOfMs: number): VenueAnswer {
  const view = bookAsOf(state, account, asOfMs);
  if (command.kind === 'order') return queryAnswer(state, view, command.symbol, command.clientOrderId);
  if (command.kind === 'orders') return { kind: 'orders', orders: openOrders(account, view) };
  const mark = markPrice(state);
  return {
    kind: 'positions',
    positions: view.positions.map(({ symbol, positionSide, units }) => ({
      symbol,
      positionSide,
      quantity: fromUnits(units),
      markPrice: mark,
    })),
  };
}

function countOf(answer: VenueAnswer): number {
  if (answer.kind === 'positions') return answer.positions.length;
  if (answer.kind === 'orders') return answer.orders.length;
  return answer.kind === 'query' && answer.report !== undefined ? 1 : 0;
}

export function handleRead(state: VenueState, account: Account, request: PendingRequest, command: ReadCommand, nowMs: number): VenueAnswer {
  const { source } = request.sender;
  const asOfMs = nowMs - state.switches.staleReadsMs;
  const failing =
    state.switches.readFailures.of.includes(command.kind) &&
    (readsFailing(state, source, nowMs) || strikes(state, 'readFailures', source, command.kind === 'order' ? command.symbol : undefined));
  const answer: VenueAnswer = failing ? { kind: 'failed', detail: 'the read failed' } : readAnswer(state, account, command, asOfMs);
  record(state, nowMs, {
    kind: 'read',
    what: command.kind,
    account: account.name,
    source,
    outcome: failing ? 'failed' : 'answered',
    count: countOf(answer),
    asOfMs,
  });
  return answer;
}

/** What the venue says of itself: one that ignores reduce-only says that it enforces it. */
export function accountAnswer(state: VenueState, account: Account): AccountAnswer {
  const { switches } = state;
  const takesReduceOnly = switches.positionMode === 'one_way' && switches.reduceOnly !== 'rejected';
  return {
    account: account.name,
    environment: state.environment,
    positionMode: switches.positionMode,
    reduceOnly: takesReduceOnly ? 'enforced' : 'rejected',
    clientOrderIds: switches.clientOrderIds === 'never' ? 'none' : switches.clientOrderIds,
    ...(switches.orderExpiryMs === null ? {} : { orderExpiryMs: switches.orderExpiryMs }),
    readLagMs: switches.declaredReadLagMs ?? switches.staleReadsMs,
    defaultMinQuantity: switches.defaultMinQuantity,
    minQuantities: switches.minQuantities,
  };
}
