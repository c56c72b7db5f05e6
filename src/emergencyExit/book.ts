/** One complete reading of an account at its venue: positions and working orders, or the fact that the reading failed. */
import type { Broker, Position, PositionSide, WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { callWithin } from '../deadline.js';
import { messageOf } from '../errors.js';

export interface Book {
  readonly positions: readonly Position[];
  readonly orders: readonly WorkingOrder[];
  /** When the reading was asked for, orders first: whatever happened later may be missing from it. */
  readonly sentMs: number;
  /** When the positions were asked for: not before the orders had been read. */
  readonly positionsSentMs: number;
  readonly receivedMs: number;
}

/** A failed reading is UNKNOWN. It is never an empty book. */
export type BookReading = { readonly ok: true; readonly book: Book } | { readonly ok: false; readonly problem: string };

/** `between`: what must have ended before the positions are asked for. */
export type ReadBook = (broker: Broker, clock: Clock, timeoutMs: number, between?: Promise<unknown>) => Promise<BookReading>;

/**
 * Reads orders, then positions; the reading counts only when both came back in time. In this order an order that fills in
 * between is still seen, and the close waits for its end; the other way round its fill would be missing from both.
 */
export const readBook: ReadBook = async (broker, clock, timeoutMs, between) => {
  const sentMs = clock.monotonicMs();
  try {
    const answer = await callWithin(clock, (signal) => readInOrder(broker, clock, signal, between), timeoutMs);
    if (!answer.settled) return { ok: false, problem: `no answer within ${timeoutMs} ms` };
    const { orders, positions, positionsSentMs } = answer.value;
    const open = positions.filter((position) => position.quantity !== 0);
    const problem = contradictionIn(open);
    if (problem !== undefined) return { ok: false, problem };
    return { ok: true, book: { positions: open, orders, sentMs, positionsSentMs, receivedMs: clock.monotonicMs() } };
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  }
};

/** What no account can hold. A close of it could be on the wrong side, or be sent twice. */
function contradictionIn(positions: readonly Position[]): string | undefined {
  const seen = new Set<LegKey>();
  for (const position of positions) {
    const { symbol, positionSide, quantity } = position;
    const wrongSign = positionSide === 'long' ? quantity < 0 : positionSide === 'short' && quantity > 0;
    if (!Number.isFinite(quantity) || wrongSign) return `${symbol}: a ${positionSide} position of ${quantity}`;
    if (seen.has(legKey(position))) return `${symbol}: two ${positionSide} positions`;
    seen.add(legKey(position));
  }
  return undefined;
}

export type ReadOrders = (broker: Broker, clock: Clock, timeoutMs: number) => Promise<readonly WorkingOrder[]>;

/** The working orders alone, to begin with; none where they could not be read: nobody concludes anything from that. */
export const readOrders: ReadOrders = async (broker, clock, timeoutMs) => {
  try {
    const answer = await callWithin(clock, (signal) => broker.openOrders(signal), timeoutMs);
    return answer.settled ? answer.value : [];
  } catch {
    // The rounds that follow read the whole book, and say so where they cannot.
    return [];
  }
};

async function readInOrder(
  broker: Broker,
  clock: Clock,
  signal: AbortSignal,
  between: Promise<unknown> | undefined,
): Promise<Pick<Book, 'orders' | 'positions' | 'positionsSentMs'>> {
  const orders = await broker.openOrders(signal);
  await between;
  const positionsSentMs = clock.monotonicMs();
  return { orders, positions: await broker.positions(signal), positionsSentMs };
}

export function isEmpty(book: Book): boolean {
  return book.positions.length === 0 && book.orders.length === 0;
}

/** One position of a symbol: in hedge mode a symbol has two. */
export type LegKey = `${string}/${PositionSide}`;

export function legKey(leg: { readonly symbol: string; readonly positionSide: PositionSide }): LegKey {
  return `${leg.symbol}/${leg.positionSide}`;
}

/** Venues give the same order id to orders of different symbols. */
export function orderKey(order: Pick<WorkingOrder, 'symbol' | 'orderId'>): string {
  return `${order.symbol}/${order.orderId}`;
}

/** True where the venue itself sees to it that this order can only reduce: by its flag, or by standing against its own position side. */
export function onlyReduces(order: Pick<WorkingOrder, 'reduceOnly' | 'positionSide' | 'side'>): boolean {
  if (order.positionSide === 'long') return order.side === 'sell';
  if (order.positionSide === 'short') return order.side === 'buy';
  return order.reduceOnly;
}

/** By how much a position moves the account when prices move: what is closed first. */
export function exposure(position: Position): number {
  return Math.abs(position.quantity) * (position.markPrice ?? 1);
}
