/** A ledger as text and back. What is damaged, or written by a version that is not known, is refused whole: half a ledger is a wrong one. */
import { createHash } from 'node:crypto';
import { checkInteger, checkNumber, checkOneOf } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { Book, type Settled } from './book.js';
import { exactOf, textOf } from './exact.js';
import { checkFill, isRecord, plainReport } from './fill.js';
import { bookId, Instrument } from './instrument.js';
import { addLot, FLAT, type Lot, lotsOf, type Position } from './lots.js';
import { FILL_REFUSAL_CODES, type FillRefusal, type RealisedResult } from './result.js';

export const SNAPSHOT_VERSION = 1;

export interface LedgerState {
  readonly instruments: readonly Instrument[];
  readonly refusals: { readonly count: number; readonly latest?: FillRefusal };
  /** How many refusals somebody has taken as seen, by strategy. */
  readonly seen: ReadonlyMap<string, number>;
}

type Plain = Readonly<Record<string, unknown>>;

const checksumOf = (body: unknown): string => createHash('sha256').update(JSON.stringify(body)).digest('hex');

function plainLot({ side, quantity, closed, unitPrice, fee, slippage }: Lot): Plain {
  const figures = { quantity, closed, unitPrice, fee, slippage };
  return { side, ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, textOf(value)])) };
}

function plainBook({ key, settled, tail }: Book): Plain {
  const { strategy, positionSide } = key;
  const { position, results, droppedThroughMs } = settled;
  return { strategy, positionSide, lots: lotsOf(position).map(plainLot), results, droppedThroughMs, tail: tail.map(plainReport) };
}

export function writeSnapshot({ instruments, refusals, seen }: LedgerState): string {
  const body = {
    instruments: instruments.map(({ account, symbol, settledBeforeMs, busts, books }) => ({
      account,
      symbol,
      settledBeforeMs,
      busts: busts.map(plainReport),
      books: [...books.values()].map(plainBook),
    })),
    refusals,
    seen: [...seen],
  };
  return JSON.stringify({ version: SNAPSHOT_VERSION, sha256: checksumOf(body), body });
}

function wrong(field: string, value: unknown, bound: string): never {
  throw new ConfigurationError(`snapshot.${field}`, value, bound);
}

function plainOf(field: string, value: unknown): Plain {
  return isRecord(value) && !Array.isArray(value) ? value : wrong(field, value, 'must be an object');
}

function listOf<T>(field: string, value: unknown, read: (field: string, item: unknown) => T): T[] {
  if (!Array.isArray(value)) return wrong(field, value, 'must be a list');
  return value.map((item: unknown, index) => read(`${field}[${index}]`, item));
}

function text(field: string, value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : wrong(field, value, 'must be a text that is not empty');
}

const optionalText = (field: string, value: unknown): string | undefined => (value === undefined ? undefined : text(field, value));

/** A figure that this ledger has worked out may be larger than one that it takes in. */
function figure(field: string, value: unknown): string {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? value : wrong(field, value, 'must be decimal text');
}

function readLot(field: string, value: unknown): Lot {
  const { side, quantity, closed, unitPrice, fee, slippage } = plainOf(field, value);
  const lot = {
    side: checkOneOf(`snapshot.${field}.side`, side, ['buy', 'sell'] as const),
    quantity: exactOf(figure(`${field}.quantity`, quantity)),
    closed: exactOf(figure(`${field}.closed`, closed)),
    unitPrice: exactOf(figure(`${field}.unitPrice`, unitPrice)),
    fee: exactOf(figure(`${field}.fee`, fee)),
    slippage: exactOf(figure(`${field}.slippage`, slippage)),
  };
  const open = lot.closed.isGreaterThanOrEqualTo(0) && lot.closed.isLessThan(lot.quantity);
  return open ? lot : wrong(`${field}.closed`, closed, 'must be at least 0 and less than the quantity');
}

function readPosition(field: string, value: unknown): Position {
  const lots = listOf(field, value, readLot);
  if (lots.some(({ side }) => side !== lots[0]?.side)) return wrong(field, 'lots of both sides', 'must be lots of one side');
  return lots.reduce(addLot, FLAT);
}

function readResult(field: string, value: unknown): RealisedResult {
  const { id, account, symbol, strategy, positionSide, orderId, quantity, pnl, fees, slippage, closedAtMs, sequence } = plainOf(
    field,
    value,
  );
  return {
    id: text(`${field}.id`, id),
    account: text(`${field}.account`, account),
    symbol: text(`${field}.symbol`, symbol),
    ...(strategy === undefined ? {} : { strategy: text(`${field}.strategy`, strategy) }),
    ...(positionSide === undefined ? {} : { positionSide: checkOneOf(`snapshot.${field}.positionSide`, positionSide, ['long', 'short']) }),
    ...(orderId === undefined ? {} : { orderId: text(`${field}.orderId`, orderId) }),
    quantity: figure(`${field}.quantity`, quantity),
    pnl: figure(`${field}.pnl`, pnl),
    fees: figure(`${field}.fees`, fees),
    slippage: figure(`${field}.slippage`, slippage),
    closedAtMs: checkInteger(`snapshot.${field}.closedAtMs`, closedAtMs),
    ...(sequence === undefined ? {} : { sequence: checkInteger(`snapshot.${field}.sequence`, sequence, { min: 1 }) }),
  };
}

function readBook(field: string, value: unknown, instrument: Instrument): void {
  const { strategy, positionSide, lots, results, droppedThroughMs, tail } = plainOf(field, value);
  const key = {
    account: instrument.account,
    symbol: instrument.symbol,
    strategy: optionalText(`${field}.strategy`, strategy),
    positionSide: checkOneOf(`snapshot.${field}.positionSide`, positionSide, ['net', 'long', 'short'] as const),
  };
  const settled: Settled = {
    position: readPosition(`${field}.lots`, lots),
    results: listOf(`${field}.results`, results, readResult),
    droppedThroughMs: droppedThroughMs === undefined ? undefined : checkInteger(`snapshot.${field}.droppedThroughMs`, droppedThroughMs),
  };
  instrument.books.set(bookId(key), new Book(key, settled));
  for (const fill of listOf(`${field}.tail`, tail, (_field, item) => checkFill(item))) instrument.restore(fill);
}

function readInstrument(field: string, value: unknown): Instrument {
  const { account, symbol, settledBeforeMs, busts, books } = plainOf(field, value);
  const beforeMs = checkNumber(`snapshot.${field}.settledBeforeMs`, settledBeforeMs);
  const instrument = new Instrument(text(`${field}.account`, account), text(`${field}.symbol`, symbol), beforeMs);
  listOf(`${field}.books`, books, (bookField, book) => readBook(bookField, book, instrument));
  for (const bust of listOf(`${field}.busts`, busts, (_field, item) => checkFill(item))) instrument.restore(bust);
  return instrument;
}

function readRefusals(field: string, value: unknown): LedgerState['refusals'] {
  const { count, latest } = plainOf(field, value);
  const refused = checkInteger(`snapshot.${field}.count`, count, { min: 0 });
  if (latest === undefined) return { count: refused };
  const plain = plainOf(`${field}.latest`, latest);
  const code = checkOneOf(`snapshot.${field}.latest.code`, plain['code'], FILL_REFUSAL_CODES);
  const word = (name: string): string => text(`${field}.latest.${name}`, plain[name]);
  return { count: refused, latest: { code, field: word('field'), bound: word('bound'), message: word('message') } };
}

function readSeen(field: string, value: unknown): [string, number] {
  const [strategy, count] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  return [text(`${field}[0]`, strategy), checkInteger(`snapshot.${field}[1]`, count, { min: 0 })];
}

function parsed(snapshot: string): unknown {
  try {
    return JSON.parse(snapshot);
  } catch (error) {
    throw new ConfigurationError('snapshot', snapshot, 'must be the whole text that snapshot() returned', { cause: error });
  }
}

/** Throws a {@link ConfigurationError} for anything but the text of {@link writeSnapshot}. */
export function readSnapshot(snapshot: string): LedgerState {
  const { version, sha256, body } = plainOf('text', parsed(snapshot));
  if (version !== SNAPSHOT_VERSION) return wrong('version', version, `must be ${SNAPSHOT_VERSION}`);
  const { instruments, refusals, seen = [] } = plainOf('body', body);
  if (sha256 !== checksumOf(body)) return wrong('sha256', sha256, 'must be the checksum of the body: the snapshot is damaged');
  return {
    instruments: listOf('instruments', instruments, readInstrument),
    refusals: readRefusals('refusals', refusals),
    // A snapshot that was written before there was such a list has none: what was refused trips once more.
    seen: new Map(listOf('seen', seen, readSeen)),
  };
}
