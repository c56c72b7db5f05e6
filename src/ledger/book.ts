/** The fills of one position: a settled part that never changes again, and a tail in the order of time that late fills are put into. */
import { BookCloses } from './bookCloses.js';
import type { CloseChange } from './closeLog.js';
import { textOf } from './exact.js';
import { type CheckedFill, compareFills } from './fill.js';
import { applyFill, FLAT, type Position, type Realised } from './lots.js';
import type { RealisedResult } from './result.js';

interface Entry {
  readonly fill: CheckedFill;
  /** The position after this fill. */
  readonly position: Position;
  readonly result: RealisedResult | undefined;
}

export interface BookKey {
  readonly account: string;
  readonly symbol: string;
  readonly strategy: string | undefined;
  readonly positionSide: CheckedFill['positionSide'];
}

/** What a snapshot keeps of the settled part. */
export interface Settled {
  readonly position: Position;
  readonly results: readonly RealisedResult[];
  /** The latest time of a result that is no longer kept. */
  readonly droppedThroughMs: number | undefined;
}

/** Results before and after a change, of all fills that it touches. */
export interface BookChange {
  readonly before: readonly RealisedResult[];
  readonly after: readonly RealisedResult[];
  readonly closes: CloseChange;
}

const NOTHING_SETTLED: Settled = { position: FLAT, results: [], droppedThroughMs: undefined };

function resultOf(fill: CheckedFill, realised: Realised): RealisedResult {
  const { id, account, symbol, strategy, positionSide, orderId } = fill;
  return {
    id,
    account,
    symbol,
    ...(strategy === undefined ? {} : { strategy }),
    ...(positionSide === 'net' ? {} : { positionSide }),
    ...(orderId === undefined ? {} : { orderId }),
    quantity: textOf(realised.quantity),
    pnl: textOf(realised.pnl),
    fees: textOf(realised.fees),
    slippage: textOf(realised.slippage),
    closedAtMs: fill.timeMs,
    ...(fill.sequence === 0 ? {} : { sequence: fill.sequence }),
  };
}

const resultsIn = (entries: readonly Entry[]): RealisedResult[] => entries.flatMap(({ result }) => (result === undefined ? [] : [result]));

export class Book {
  readonly key: BookKey;
  readonly #tail: Entry[] = [];
  #position: Position;
  #results: RealisedResult[];
  readonly #closes: BookCloses;
  #droppedThroughMs: number | undefined;

  constructor(key: BookKey, settled: Settled = NOTHING_SETTLED) {
    this.key = key;
    this.#position = settled.position;
    this.#results = [...settled.results];
    this.#closes = new BookCloses(settled.results);
    this.#droppedThroughMs = settled.droppedThroughMs;
  }

  get position(): Position {
    return this.#tail.at(-1)?.position ?? this.#position;
  }

  get settled(): Settled {
    return { position: this.#position, results: this.#results, droppedThroughMs: this.#droppedThroughMs };
  }

  get tail(): CheckedFill[] {
    return this.#tail.map(({ fill }) => fill);
  }

  get droppedThroughMs(): number | undefined {
    return this.#droppedThroughMs;
  }

  /** In the order of time. */
  results(): RealisedResult[] {
    return [...this.#results, ...resultsIn(this.#tail)];
  }

  /** Takes one fill out, puts another in, or both, and works out again whatever comes after. */
  change({ remove, insert }: { readonly remove?: CheckedFill | undefined; readonly insert?: CheckedFill | undefined }): BookChange {
    const first = Math.min(...[remove, insert].map((fill) => (fill === undefined ? this.#tail.length : this.#placeOf(fill))));
    const touched = this.#tail.splice(first);
    const fills = touched.flatMap(({ fill }) => (fill === remove ? [] : [fill]));
    if (insert !== undefined) fills.splice(fills.findLastIndex((fill) => compareFills(fill, insert) < 0) + 1, 0, insert);
    for (const fill of fills) {
      const { position, realised } = applyFill(this.position, fill);
      this.#tail.push({ fill, position, result: realised === undefined ? undefined : resultOf(fill, realised) });
    }
    const before = resultsIn(touched);
    const after = resultsIn(this.#tail.slice(first));
    return { before, after, closes: this.#closes.change(before, after) };
  }

  /** Settles what is older than this, keeps the newest settled results, and returns the fills that can no longer change. */
  settle(beforeMs: number, keepResults: number): CheckedFill[] {
    const open = this.#tail.findIndex(({ fill }) => fill.timeMs >= beforeMs);
    const settled = this.#tail.splice(0, open < 0 ? this.#tail.length : open);
    this.#position = settled.at(-1)?.position ?? this.#position;
    for (const result of resultsIn(settled)) this.#results.push(result);
    const dropped = this.#results.splice(0, Math.max(0, this.#results.length - keepResults));
    this.#closes.drop(dropped);
    this.#droppedThroughMs = dropped.at(-1)?.closedAtMs ?? this.#droppedThroughMs;
    return settled.map(({ fill }) => fill);
  }

  /** Where a fill is, or belongs: found from the end, because most fills are the newest. */
  #placeOf(fill: CheckedFill): number {
    return this.#tail.findLastIndex((entry) => compareFills(entry.fill, fill) < 0) + 1;
  }
}
