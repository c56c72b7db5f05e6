/** One complete reading of an account at its venue: positions and working orders, or the fact that the reading failed. */
import type { Broker, Position, PositionSide, WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';

export interface Book {
  readonly positions: readonly Position[];
  readonly orders: readonly WorkingOrder[];
  /** When the reading was asked for: whatever happened later may be missing from it. */
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** A failed reading is UNKNOWN. It is never an empty book. */
export type BookReading = { readonly ok: true; readonly book: Book } | { readonly ok: false; readonly problem: string };

export type ReadBook = (broker: Broker, clock: Clock, timeoutMs: number) => Promise<BookReading>;

/** Reads positions and orders together. The reading counts only when both came back in time. */
export const readBook: ReadBook = async (broker, clock, timeoutMs) => {
  const sentMs = clock.monotonicMs();
  const giveUp = new AbortController();
  try {
    const both = Promise.all([broker.positions(giveUp.signal), broker.openOrders(giveUp.signal)]);
    const answer = await settleWithin(clock, both, timeoutMs);
    if (!answer.settled) return { ok: false, problem: `no answer within ${timeoutMs} ms` };
    const [positions, orders] = answer.value;
    return { ok: true, book: { positions, orders, sentMs, receivedMs: clock.monotonicMs() } };
  } catch (error) {
    return { ok: false, problem: messageOf(error) };
  } finally {
    giveUp.abort();
  }
};

export function isEmpty(book: Book): boolean {
  return book.positions.length === 0 && book.orders.length === 0;
}

/** One position of a symbol: in hedge mode a symbol has two. */
export type LegKey = `${string}/${PositionSide}`;

export function legKey(leg: { readonly symbol: string; readonly positionSide: PositionSide }): LegKey {
  return `${leg.symbol}/${leg.positionSide}`;
}

/** By how much a position moves the account when prices move: what is closed first. */
export function exposure(position: Position): number {
  return Math.abs(position.quantity) * (position.markPrice ?? 1);
}
