/**
 * One position as lots, first in, first out (pure). A fill against the position closes its oldest lots first, and what is left of
 * the fill opens a lot on the other side. Method: 26 CFR 1.1012-1(c)(1), the default rule for securities whose lots were not identified.
 *
 * Positions are values: each fill makes a new one and leaves the old as it was, so that a late fill is put in its place by starting
 * again from the position before it.
 */
import type { Side } from '../messages/order.js';
import { type Decimal, shareOf, ZERO } from './exact.js';
import type { CheckedFill } from './fill.js';

export interface Lot {
  readonly side: Side;
  /** As opened. */
  readonly quantity: Decimal;
  /** How much of `quantity` has been closed; always less than it. */
  readonly closed: Decimal;
  /** Price times multiplier. */
  readonly unitPrice: Decimal;
  /** For the whole lot as opened. */
  readonly fee: Decimal;
  readonly slippage: Decimal;
}

interface Cell {
  readonly lot: Lot;
  readonly next: Cell | undefined;
}

/** A queue that is never changed: oldest first in `front`, then newest first in `back`. */
export interface Position {
  readonly front: Cell | undefined;
  readonly back: Cell | undefined;
}

export const FLAT: Position = { front: undefined, back: undefined };

/** What one fill realised. */
export interface Realised {
  readonly quantity: Decimal;
  /** Net of fees and slippage. */
  readonly pnl: Decimal;
  readonly fees: Decimal;
  readonly slippage: Decimal;
}

export interface Applied {
  readonly position: Position;
  /** Undefined where the fill closed nothing. */
  readonly realised: Realised | undefined;
}

export function addLot({ front, back }: Position, lot: Lot): Position {
  return { front, back: { lot, next: back } };
}

/** The same lots with all of them in `front`. */
function turned({ front, back }: Position): Position {
  if (front !== undefined) return { front, back };
  let turnedFront: Cell | undefined;
  for (let cell = back; cell !== undefined; cell = cell.next) turnedFront = { lot: cell.lot, next: turnedFront };
  return { front: turnedFront, back: undefined };
}

/** Oldest first. */
export function lotsOf({ front, back }: Position): Lot[] {
  const oldest: Lot[] = [];
  for (let cell = front; cell !== undefined; cell = cell.next) oldest.push(cell.lot);
  const newest: Lot[] = [];
  for (let cell = back; cell !== undefined; cell = cell.next) newest.push(cell.lot);
  return [...oldest, ...newest.toReversed()];
}

/** Signed: below zero is short. */
export function quantityOf(position: Position): Decimal {
  return lotsOf(position).reduce((sum, { side, quantity, closed }) => {
    const open = quantity.minus(closed);
    return side === 'buy' ? sum.plus(open) : sum.minus(open);
  }, ZERO);
}

interface Matched {
  readonly position: Position;
  readonly quantity: Decimal;
  readonly gross: Decimal;
  readonly fees: Decimal;
  readonly slippage: Decimal;
}

/** Closes lots of the other side, oldest first, until the fill is used up or no such lot is left. */
function match(start: Position, fill: CheckedFill, unitPrice: Decimal): Matched {
  let position = turned(start);
  let [quantity, gross, fees, slippage] = [ZERO, ZERO, ZERO, ZERO];
  while (position.front !== undefined && position.front.lot.side !== fill.side && quantity.isLessThan(fill.quantity)) {
    const { lot, next } = position.front;
    const open = lot.quantity.minus(lot.closed);
    const left = fill.quantity.minus(quantity);
    const taken = open.isLessThan(left) ? open : left;
    const closed = lot.closed.plus(taken);
    const gain = lot.side === 'buy' ? unitPrice.minus(lot.unitPrice) : lot.unitPrice.minus(unitPrice);
    quantity = quantity.plus(taken);
    gross = gross.plus(gain.times(taken));
    fees = fees.plus(shareOf(lot.fee, lot.closed, closed, lot.quantity));
    slippage = slippage.plus(shareOf(lot.slippage, lot.closed, closed, lot.quantity));
    const { back } = position;
    position = turned({ front: closed.isLessThan(lot.quantity) ? { lot: { ...lot, closed }, next } : next, back });
  }
  return { position, quantity, gross, fees, slippage };
}

export function applyFill(before: Position, fill: CheckedFill): Applied {
  const unitPrice = fill.price.times(fill.multiplier);
  const matched = match(before, fill, unitPrice);
  const closingFee = shareOf(fill.fee, ZERO, matched.quantity, fill.quantity);
  const closingSlippage = shareOf(fill.slippage, ZERO, matched.quantity, fill.quantity);
  const opened = fill.quantity.minus(matched.quantity);
  const position = opened.isZero()
    ? matched.position
    : addLot(matched.position, {
        side: fill.side,
        quantity: opened,
        closed: ZERO,
        unitPrice,
        fee: fill.fee.minus(closingFee),
        slippage: fill.slippage.minus(closingSlippage),
      });
  if (matched.quantity.isZero()) return { position, realised: undefined };
  const fees = matched.fees.plus(closingFee);
  const slippage = matched.slippage.plus(closingSlippage);
  const pnl = matched.gross.minus(fees).minus(slippage);
  return { position, realised: { quantity: matched.quantity, pnl, fees, slippage } };
}
