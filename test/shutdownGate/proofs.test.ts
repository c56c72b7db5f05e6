/** The rule for a proof at its bounds, and for how long a reduction counts that a position does not show yet. */
import { describe, expect, it } from 'vitest';
import { judgeProof, type ReduceProof, ReductionBook, settleReduction } from '../../src/shutdownGate/reductions.js';

const LONG: ReduceProof = { account: 'main', symbol: 'AAPL', side: 'sell', quantity: 4, position: 10, positionAgeMs: 0 };
const SHORT: ReduceProof = { ...LONG, side: 'buy', position: -10 };
const MAX_AGE_MS = 1_000;

function verdict(proof: Partial<ReduceProof>, inFlight = 0): unknown {
  const judged = judgeProof({ ...LONG, ...proof }, inFlight, MAX_AGE_MS);
  if (judged.holds) return 'holds';
  expect(judged.refusal).toMatchObject({ code: 'not_reducing', source: 'verify_reduce' });
  return [judged.refusal.reason, judged.refusal.maxQuantity];
}

describe('a proof', () => {
  it.each<[Partial<ReduceProof>, number, unknown]>([
    [{ positionAgeMs: MAX_AGE_MS }, 0, 'holds'],
    [{ positionAgeMs: 1_001 }, 0, ['the position is 1001 ms old, more than 1000', 0]],
    [{ positionAgeMs: -5 }, 0, ['the position is dated 5 ms ahead', 0]],
    [{ position: 0 }, 0, ['a sell does not reduce a position of 0', 0]],
    [{ side: 'buy', position: 0 }, 0, ['a buy does not reduce a position of 0', 0]],
    [{ side: 'buy' }, 0, ['a buy does not reduce a position of 10', 0]],
    [{ position: -10 }, 0, ['a sell does not reduce a position of -10', 0]],
    [SHORT, 0, 'holds'],
    [{ quantity: 0 }, 3, ['a quantity of 0 reduces nothing', 7]],
    [{ quantity: 10 }, 0, 'holds'],
    [{ quantity: 10 + 10e-9 }, 0, 'holds'],
    [{ quantity: 10.000_001 }, 0, ['10.000001 is more than the 10 left of the position after reductions in flight', 10]],
    [{ quantity: 7 }, 4, ['7 is more than the 6 left of the position after reductions in flight', 6]],
    [{ quantity: 6 }, 4, 'holds'],
    // What is left is below what sums of fractions miss by: nothing.
    [{ quantity: 1e-9 }, 10, ['1e-9 is more than the 0 left of the position after reductions in flight', 0]],
    [{ quantity: 1 }, 12, ['1 is more than the 0 left of the position after reductions in flight', 0]],
    [{ quantity: 1, position: 1e9 }, 1e9 - 1, ['1 is more than the 0 left of the position after reductions in flight', 0]],
  ])('S10: %j with %d in flight: %j', (proof, inFlight, expected) => {
    expect(verdict(proof, inFlight)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'proof'],
    ['no account', { ...LONG, account: undefined }],
    ['an empty account', { ...LONG, account: '' }],
    ['no symbol', { ...LONG, symbol: undefined }],
    ['an empty symbol', { ...LONG, symbol: '' }],
    ['another side', { ...LONG, side: 'short' }],
    ['a quantity that is a text', { ...LONG, quantity: '4' }],
    ['a quantity without end', { ...LONG, quantity: Number.POSITIVE_INFINITY }],
    ['a position that is no number', { ...LONG, position: Number.NaN }],
    ['an age that is no number', { ...LONG, positionAgeMs: Number.NaN }],
  ])('S3: with %s is none', (_what, value) => {
    expect(new ReductionBook().verify(value, 5_000, MAX_AGE_MS)).toEqual({
      holds: false,
      refusal: {
        code: 'not_reducing',
        source: 'verify_reduce',
        reason: 'no complete proof that the order reduces a position',
        maxQuantity: 0,
      },
    });
  });
});

describe('a reduction that was let in', () => {
  const ALL: ReduceProof = { ...LONG, quantity: 1_000 };
  /** How much may still be sold. */
  function left(book: ReductionBook, nowMs: number, proof: Partial<ReduceProof> = {}, maxAgeMs = MAX_AGE_MS): number | undefined {
    const judged = book.verify({ ...ALL, ...proof }, nowMs, maxAgeMs);
    return judged.holds ? undefined : judged.refusal.maxQuantity;
  }

  function bookOf(...quantities: readonly number[]) {
    const book = new ReductionBook();
    book.keepFor(MAX_AGE_MS);
    return { book, reductions: quantities.map((quantity, index) => book.add({ ...LONG, quantity }, index + 1, 4_000)) };
  }

  it('S10: counts until a position was read after its acknowledgement, not in the same moment', () => {
    const { book, reductions } = bookOf(4);
    const [reduction] = reductions;
    if (reduction === undefined) throw new Error('none');
    expect(left(book, 4_500)).toBe(6);
    settleReduction(reduction, 'acknowledged', 5_000);
    expect([left(book, 5_000), left(book, 5_001, { positionAgeMs: 1 }), left(book, 5_001)]).toEqual([6, 6, 10]);
  });

  it('S10: is forgotten when no position that any guard accepts could be older than it, and not before', () => {
    const { book, reductions } = bookOf(4);
    const [reduction] = reductions;
    if (reduction === undefined) throw new Error('none');
    settleReduction(reduction, 'acknowledged', 5_000);
    expect(left(book, 6_000, { positionAgeMs: 1_000 })).toBe(6);
    expect(book.positions).toBe(1);
    expect(left(book, 6_001, { positionAgeMs: 1_500 }, 2_000)).toBe(10);
    expect(book.positions).toBe(0);
  });

  it('S10: frees what it took when it surely was not sent, and keeps it while nobody knows', () => {
    const { book, reductions } = bookOf(4, 3);
    for (const reduction of reductions) settleReduction(reduction, 'unknown', 4_500);
    expect(left(book, 60_000)).toBe(3);
    book.resolve(2, 'refused', 60_000);
    expect(left(book, 60_000)).toBe(6);
    book.resolve(1, 'acknowledged', 60_000);
    expect([left(book, 60_000), left(book, 60_001)]).toEqual([6, 10]);
  });

  it('S10: counts against its own side, account and symbol alone', () => {
    const { book } = bookOf(4);
    expect(left(book, 4_500, { ...SHORT, quantity: 1_000 })).toBe(10);
    expect(left(book, 4_500, { ...ALL, account: 'other' })).toBe(10);
    expect(left(book, 4_500, { ...ALL, symbol: 'MSFT' })).toBe(10);
    expect(left(book, 4_500, ALL)).toBe(6);
  });

  it('S10: outlives the sweep of positions that nobody asks about', () => {
    const book = new ReductionBook();
    book.keepFor(MAX_AGE_MS);
    const proofOf = (index: number): ReduceProof => ({ ...LONG, symbol: `S${index}` });
    for (let index = 0; index < 1_024; index += 1) {
      const reduction = book.add(proofOf(index), index, 4_000);
      if (index % 2 === 0) settleReduction(reduction, 'acknowledged', index % 4 === 0 ? 4_000 : 5_500);
    }
    expect(book.positions).toBe(1_024);
    book.add(proofOf(5_000), 5_000, 6_000);
    // A quarter was acknowledged longer ago than any position may be old.
    expect(book.positions).toBe(1_024 - 256 + 1);
    expect([0, 1, 2].map((index) => left(book, 6_000, { symbol: `S${index}`, positionAgeMs: 900 }))).toEqual([10, 6, 6]);
  });
});
