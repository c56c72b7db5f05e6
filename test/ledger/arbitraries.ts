/** Random reports for the ledger's properties: few ids, few places and times close together, so that everything happens to everything. */
import fc from 'fast-check';
import type { OpenPosition, RealisedResult } from '../../src/index.js';
import { type ModelBust, type ModelFill, type ModelReport, type ModelResult, placeOf } from './model.js';

/** 2015-08-24, and an hour that holds a midnight. */
export const START_MS = Date.UTC(2015, 7, 24, 23, 30);
export const SPAN_MS = 3_600_000;

export interface Variety {
  readonly ids: number;
  readonly revisions: number;
  /** Times are multiples of this, so that some are equal. */
  readonly stepMs: number;
}

const instrument = {
  account: fc.constantFrom('main', 'other'),
  symbol: fc.constantFrom('AAPL', 'BTC/USDT'),
};

export function fillOf({ ids, revisions, stepMs }: Variety): fc.Arbitrary<ModelFill> {
  return fc.record({
    kind: fc.constant('fill' as const),
    id: fc.integer({ min: 0, max: ids - 1 }).map((number) => `fill-${number}`),
    ...instrument,
    strategy: fc.constantFrom(undefined, undefined, 'reversion'),
    positionSide: fc.constantFrom('net' as const, 'net' as const, 'long' as const),
    orderId: fc.constantFrom(undefined, 'order-1', 'order-2'),
    side: fc.constantFrom('buy' as const, 'sell' as const),
    quantity: fc.oneof(fc.constantFrom(1_000, 2_000, 3_000), fc.integer({ min: 1, max: 9_999 })),
    price: fc.oneof(fc.constantFrom(10_000, 10_001, 0), fc.integer({ min: 0, max: 20_000 })),
    fee: fc.integer({ min: -50, max: 2_000 }),
    slippage: fc.oneof(fc.constant(0), fc.integer({ min: -50, max: 500 })),
    multiplier: fc.constantFrom(1, 1, 100),
    timeMs: fc.integer({ min: 0, max: SPAN_MS / stepMs }).map((steps) => START_MS + steps * stepMs),
    sequence: fc.constantFrom(0, 0, 1),
    revision: fc.integer({ min: 0, max: revisions }),
  });
}

const bustOf = ({ ids, revisions, stepMs }: Variety): fc.Arbitrary<ModelBust> =>
  fc.record({
    kind: fc.constant('bust' as const),
    id: fc.integer({ min: 0, max: ids - 1 }).map((number) => `fill-${number}`),
    ...instrument,
    timeMs: fc.integer({ min: 0, max: SPAN_MS / stepMs }).map((steps) => START_MS + steps * stepMs),
    revision: fc.integer({ min: 1, max: Math.max(1, revisions) }),
  });

/** Fills, and now and then a bust. */
export const reportOf = (variety: Variety): fc.Arbitrary<ModelReport> =>
  fc.oneof({ arbitrary: fillOf(variety), weight: 6 }, { arbitrary: bustOf(variety), weight: 1 });

/** A ledger's results in the model's words. */
export function inModelWords(results: readonly RealisedResult[]): ModelResult[] {
  return results.map(({ id, quantity, pnl, fees, slippage, closedAtMs, ...rest }) => {
    const { account, symbol, strategy, positionSide = 'net' } = rest;
    return { id, place: placeOf({ account, symbol, strategy, positionSide }), quantity, pnl, fees, slippage, closedAtMs };
  });
}

export const openInModelWords = (positions: readonly OpenPosition[]): Map<string, string> =>
  new Map(
    positions.map(({ account, symbol, strategy, positionSide, quantity }) => [
      placeOf({ account, symbol, strategy, positionSide }),
      quantity,
    ]),
  );

/** By place, each place in its own order. */
export const byPlace = (results: readonly ModelResult[]): ModelResult[] =>
  results.toSorted((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0));
