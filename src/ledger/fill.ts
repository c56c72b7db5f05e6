/** A fill as it comes from a feed, and what is left of it once every field has been checked. */
import { checkInteger, checkOneOf } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import type { PositionSide, Side } from '../messages/order.js';
import { type Decimal, decimalOf, textOf } from './exact.js';
import { timestampMs } from './timestamp.js';

/** What names a fill at its venue, and when it happened. */
interface FillIdentity {
  /** The venue's id of the fill (not of the order), unique within account and symbol. */
  readonly id: string;
  readonly account: string;
  readonly symbol: string;
  /** ISO 8601 with a zone, epoch seconds or epoch milliseconds, as number or text. The venue's time, not that of arrival. */
  readonly time: string | number;
  /** 0 is the fill as first reported; each correction or bust of the same id has a higher one. Default 0. */
  readonly revision?: number;
}

export interface LedgerFill extends FillIdentity {
  readonly busted?: false;
  /** Each strategy has a position of its own. Default: none, a position beside those of the strategies. */
  readonly strategy?: string;
  /** Default `net`. In hedge mode the side whose position this fill changes. */
  readonly positionSide?: PositionSide;
  /** Fills of one order count as one close. */
  readonly orderId?: string;
  readonly side: Side;
  /** Above zero; the side says the direction. Decimal text is exact; a number stands for its shortest decimal text. */
  readonly quantity: string | number;
  /** At least zero: an option can end worthless. */
  readonly price: string | number;
  /** In the currency of the price; below zero is a rebate. Default 0. */
  readonly fee?: string | number;
  /** A cost that the price does not contain yet, in its currency. Real fills have none: their price is the one that was paid. Default 0. */
  readonly slippage?: string | number;
  /** What one unit of quantity is worth in units of price: 100 for an option on 100 shares. Default 1. */
  readonly multiplier?: string | number;
  /** Orders fills of the same millisecond; after it the id does. Default 0. */
  readonly sequence?: number;
}

/** The venue has taken a fill back. `time` is that of the fill. */
export interface BustedFill extends FillIdentity {
  readonly revision: number;
  readonly busted: true;
}

export interface CheckedFill {
  readonly kind: 'fill';
  readonly id: string;
  readonly account: string;
  readonly symbol: string;
  readonly strategy: string | undefined;
  readonly positionSide: PositionSide;
  readonly orderId: string | undefined;
  readonly side: Side;
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly fee: Decimal;
  readonly slippage: Decimal;
  readonly multiplier: Decimal;
  readonly timeMs: number;
  readonly sequence: number;
  readonly revision: number;
}

export interface CheckedBust {
  readonly kind: 'bust';
  readonly id: string;
  readonly account: string;
  readonly symbol: string;
  readonly timeMs: number;
  readonly revision: number;
}

export type CheckedReport = CheckedFill | CheckedBust;

const NAME_LENGTH_MAX = 200;

/** Any object may be asked for any field. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

function nameOf(field: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > NAME_LENGTH_MAX) {
    throw new ConfigurationError(field, value, `must be a text of 1 to ${NAME_LENGTH_MAX} characters that is not blank`);
  }
  return value;
}

const optionalName = (field: string, value: unknown): string | undefined => (value === undefined ? undefined : nameOf(field, value));

/** Takes what a feed hands over, whatever it claims to be. Throws a {@link ConfigurationError} at the first field that cannot hold. */
export function checkFill(report: unknown): CheckedReport {
  if (!isRecord(report)) throw new ConfigurationError('fill', report, 'must be an object');
  // Each field is read once: what was checked is what is booked.
  const { id, account, symbol, time, revision = 0, busted = false } = report;
  const identity = {
    id: nameOf('id', id),
    account: nameOf('account', account),
    symbol: nameOf('symbol', symbol),
    timeMs: timestampMs('time', time),
  };
  if (typeof busted !== 'boolean') throw new ConfigurationError('busted', busted, 'must be true or false');
  const number = checkInteger('revision', revision, { min: busted ? 1 : 0, max: Number.MAX_SAFE_INTEGER });
  if (busted) return { kind: 'bust', ...identity, revision: number };
  const { strategy, positionSide = 'net', orderId, side, quantity, price, fee = 0, slippage = 0, multiplier = 1, sequence = 0 } = report;
  return {
    kind: 'fill',
    ...identity,
    strategy: optionalName('strategy', strategy),
    positionSide: checkOneOf('positionSide', positionSide, ['net', 'long', 'short']),
    orderId: optionalName('orderId', orderId),
    side: checkOneOf('side', side, ['buy', 'sell']),
    quantity: decimalOf('quantity', quantity, 'positive'),
    price: decimalOf('price', price, 'not_negative'),
    fee: decimalOf('fee', fee, 'any'),
    slippage: decimalOf('slippage', slippage, 'any'),
    multiplier: decimalOf('multiplier', multiplier, 'positive'),
    sequence: checkInteger('sequence', sequence, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    revision: number,
  };
}

/** The same report in the form that {@link checkFill} takes: for a snapshot, and to tell a repetition from a contradiction. */
export function plainReport(report: CheckedReport): LedgerFill | BustedFill {
  const { id, account, symbol, timeMs: time, revision } = report;
  const identity = { id, account, symbol, time, revision };
  if (report.kind === 'bust') return { ...identity, busted: true };
  const { strategy, positionSide, orderId, side, sequence } = report;
  return {
    ...identity,
    ...(strategy === undefined ? {} : { strategy }),
    positionSide,
    ...(orderId === undefined ? {} : { orderId }),
    side,
    quantity: textOf(report.quantity),
    price: textOf(report.price),
    fee: textOf(report.fee),
    slippage: textOf(report.slippage),
    multiplier: textOf(report.multiplier),
    sequence,
  };
}

/** Below zero: `a` comes first. A total order, so that the order of arrival never matters. */
export function compareFills(a: CheckedFill, b: CheckedFill): number {
  return a.timeMs - b.timeMs || a.sequence - b.sequence || (a.id < b.id ? -1 : 1);
}
