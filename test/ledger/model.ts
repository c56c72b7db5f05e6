/** A ledger written a second time, as plainly as can be: whole numbers, every fill kept, everything worked out from the start each time. */
import type { BustedFill, LedgerFill } from '../../src/index.js';

/** What the generator makes: figures as whole numbers of the smallest unit, so that the model never sees a decimal. */
export interface ModelFill {
  readonly kind: 'fill';
  readonly id: string;
  readonly account: string;
  readonly symbol: string;
  readonly strategy: string | undefined;
  readonly positionSide: 'net' | 'long' | 'short';
  readonly orderId: string | undefined;
  readonly side: 'buy' | 'sell';
  /** Thousandths. */
  readonly quantity: number;
  /** Hundredths. */
  readonly price: number;
  /** Ten-thousandths. */
  readonly fee: number;
  readonly slippage: number;
  readonly multiplier: number;
  readonly timeMs: number;
  readonly sequence: number;
  readonly revision: number;
}

export interface ModelBust {
  readonly kind: 'bust';
  readonly id: string;
  readonly account: string;
  readonly symbol: string;
  readonly timeMs: number;
  readonly revision: number;
}

export type ModelReport = ModelFill | ModelBust;

export interface ModelResult {
  readonly id: string;
  readonly place: string;
  readonly quantity: string;
  readonly pnl: string;
  readonly fees: string;
  readonly slippage: string;
  readonly closedAtMs: number;
}

const PLACES = 30;
const ONE = 10n ** BigInt(PLACES);

const scaled = (value: number, places: number): bigint => BigInt(value) * 10n ** BigInt(PLACES - places);

/** A whole number of 10^-30 as decimal text. */
function shown(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, '0');
  const fraction = digits.slice(-PLACES).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${fraction === '' ? '' : `.${fraction}`}`;
}

const decimalText = (value: number, places: number): string => shown(scaled(value, places));

export function toReport(report: ModelReport): LedgerFill | BustedFill {
  const { id, account, symbol, timeMs: time, revision } = report;
  if (report.kind === 'bust') return { id, account, symbol, time, revision, busted: true };
  const { strategy, orderId } = report;
  return {
    id,
    account,
    symbol,
    time,
    revision,
    side: report.side,
    positionSide: report.positionSide,
    sequence: report.sequence,
    ...(strategy === undefined ? {} : { strategy }),
    ...(orderId === undefined ? {} : { orderId }),
    quantity: decimalText(report.quantity, 3),
    price: decimalText(report.price, 2),
    fee: decimalText(report.fee, 4),
    slippage: decimalText(report.slippage, 4),
    multiplier: decimalText(report.multiplier, 0),
  };
}

/** `total * part / whole` to 30 places, a half to the even neighbour. All in 10^-30. */
function roundedShare(total: bigint, part: bigint, whole: bigint): bigint {
  const product = total * part;
  const quotient = product / whole;
  const twice = (product % whole) * 2n;
  const [distance, step] = twice < 0n ? [-twice, -1n] : [twice, 1n];
  if (distance > whole || (distance === whole && quotient % 2n !== 0n)) return quotient + step;
  return quotient;
}

interface ModelLot {
  readonly side: 'buy' | 'sell';
  readonly whole: bigint;
  closed: bigint;
  readonly unitPrice: bigint;
  readonly fee: bigint;
  readonly slippage: bigint;
}

export const placeOf = (fill: Pick<ModelFill, 'account' | 'symbol' | 'strategy' | 'positionSide'>): string =>
  [fill.account, fill.symbol, fill.strategy ?? '', fill.positionSide].join('/');

const inOrder = (a: ModelFill, b: ModelFill): number =>
  a.timeMs !== b.timeMs ? a.timeMs - b.timeMs : a.sequence !== b.sequence ? a.sequence - b.sequence : a.id < b.id ? -1 : 1;

function playPlace(place: string, fills: readonly ModelFill[]): { readonly results: ModelResult[]; readonly open: bigint } {
  const lots: ModelLot[] = [];
  const results: ModelResult[] = [];
  for (const fill of fills) {
    const whole = scaled(fill.quantity, 3);
    const unitPrice = scaled(fill.price * fill.multiplier, 2);
    const [fee, slippage] = [scaled(fill.fee, 4), scaled(fill.slippage, 4)];
    let [closed, gross, fees, slips] = [0n, 0n, 0n, 0n];
    for (const lot of lots) {
      if (lot.side === fill.side || closed === whole) break;
      const open = lot.whole - lot.closed;
      const part = open < whole - closed ? open : whole - closed;
      gross += (part * (lot.side === 'buy' ? unitPrice - lot.unitPrice : lot.unitPrice - unitPrice)) / ONE;
      fees += roundedShare(lot.fee, lot.closed + part, lot.whole) - roundedShare(lot.fee, lot.closed, lot.whole);
      slips += roundedShare(lot.slippage, lot.closed + part, lot.whole) - roundedShare(lot.slippage, lot.closed, lot.whole);
      lot.closed += part;
      closed += part;
    }
    while (lots[0] !== undefined && lots[0].closed === lots[0].whole) lots.shift();
    const ownFee = roundedShare(fee, closed, whole);
    const ownSlippage = roundedShare(slippage, closed, whole);
    if (closed < whole) {
      lots.push({ side: fill.side, whole: whole - closed, closed: 0n, unitPrice, fee: fee - ownFee, slippage: slippage - ownSlippage });
    }
    if (closed === 0n) continue;
    const [allFees, allSlippage] = [fees + ownFee, slips + ownSlippage];
    results.push({
      id: fill.id,
      place,
      quantity: shown(closed),
      pnl: shown(gross - allFees - allSlippage),
      fees: shown(allFees),
      slippage: shown(allSlippage),
      closedAtMs: fill.timeMs,
    });
  }
  const open = lots.reduce((sum, lot) => sum + (lot.side === 'buy' ? 1n : -1n) * (lot.whole - lot.closed), 0n);
  return { results, open };
}

/** Results in the order of each place, and what is open in each. */
export function play(fills: readonly ModelFill[]): { readonly results: ModelResult[]; readonly open: ReadonlyMap<string, string> } {
  const places = [...new Set(fills.map(placeOf))].toSorted();
  const played = places.map((place) => ({ place, ...playPlace(place, fills.filter((fill) => placeOf(fill) === place).toSorted(inOrder)) }));
  return {
    results: played.flatMap(({ results }) => results),
    open: new Map(played.flatMap(({ place, open }) => (open === 0n ? [] : [[place, shown(open)] as const]))),
  };
}

/** What the ledger is to answer to each report, by the rules as its documentation tells them. */
export class ModelLedger {
  readonly #horizonMs: number;
  readonly #nowMs: number;
  readonly #maxAheadMs: number;
  #reports: ModelReport[] = [];
  readonly #newestMs = new Map<string, number>();

  constructor(options: { readonly horizonMs: number; readonly maxAheadMs: number; readonly nowMs: number }) {
    this.#horizonMs = options.horizonMs;
    this.#maxAheadMs = options.maxAheadMs;
    this.#nowMs = options.nowMs;
  }

  get fills(): ModelFill[] {
    return this.#reports.filter((report) => report.kind === 'fill');
  }

  record(report: ModelReport): string {
    if (report.timeMs > this.#nowMs + this.#maxAheadMs) return 'too_far_ahead';
    const instrument = `${report.account}/${report.symbol}`;
    const newestMs = this.#newestMs.get(instrument) ?? -Infinity;
    const settledBeforeMs = newestMs - this.#horizonMs;
    const known = this.#reports.find(
      (other) => other.id === report.id && `${other.account}/${other.symbol}` === instrument && other.timeMs >= settledBeforeMs,
    );
    if (known !== undefined && report.revision < known.revision) return 'superseded';
    if (known !== undefined && report.revision === known.revision) {
      return JSON.stringify(toReport(known)) === JSON.stringify(toReport(report)) ? 'duplicate' : 'conflict';
    }
    if (report.timeMs < settledBeforeMs) return 'too_late';
    this.#reports = [...this.#reports.filter((other) => other !== known), report];
    this.#newestMs.set(instrument, Math.max(newestMs, report.timeMs));
    return report.kind === 'bust' ? 'busted' : known === undefined ? 'recorded' : 'corrected';
  }
}
