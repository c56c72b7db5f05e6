/** The rule by which a proof holds, at its bounds and in its words; and the book of what a proof cannot know yet. */
import { describe, expect, it } from 'vitest';
import { judgeProof, type ReduceProof, ReductionBook, settleReduction } from '../../src/shutdownGate/reductions.js';

const LONG: ReduceProof = { account: 'a', symbol: 's', side: 'sell', quantity: 4, position: 10, positionAgeMs: 100 };

const judge = (change: Partial<ReduceProof>, inFlight = 0) => {
  const verdict = judgeProof({ ...LONG, ...change }, inFlight, 1_000);
  return verdict.holds ? 'holds' : [verdict.refusal.reason, verdict.refusal.maxQuantity];
};

describe('a proof', () => {
  it.each<[Partial<ReduceProof>, number, unknown]>([
    [{}, 0, 'holds'],
    [{ positionAgeMs: 0 }, 0, 'holds'],
    [{ positionAgeMs: 1_000 }, 0, 'holds'],
    [{ positionAgeMs: 1_001 }, 0, ['the position is 1001 ms old, more than 1000', 0]],
    [{ positionAgeMs: -5 }, 0, ['the position is dated 5 ms ahead', 0]],
    [{ position: 0 }, 0, ['a sell does not reduce a position of 0', 0]],
    [{ position: -1 }, 0, ['a sell does not reduce a position of -1', 0]],
    [{ side: 'buy', position: 0 }, 0, ['a buy does not reduce a position of 0', 0]],
    [{ side: 'buy', position: 1 }, 0, ['a buy does not reduce a position of 1', 0]],
    [{ side: 'buy', position: -4 }, 0, 'holds'],
    [{ quantity: 0 }, 3, ['a quantity of 0 reduces nothing', 7]],
    [{ quantity: -1 }, 0, ['a quantity of -1 reduces nothing', 10]],
    [{ quantity: 10 }, 0, 'holds'],
    [{ quantity: 10.1 }, 0, ['10.1 is more than the 10 left of the position after reductions in flight', 10]],
    [{ quantity: 6 }, 4, 'holds'],
    [{ quantity: 6.5 }, 4, ['6.5 is more than the 6 left of the position after reductions in flight', 6]],
    // What is left is smaller than what sums of fractions miss by: nothing is.
    [{ quantity: 1e-9 }, 10 - 1e-9, ['1e-9 is more than the 0 left of the position after reductions in flight', 0]],
    [{ quantity: 1e-12 }, 12, ['1e-12 is more than the 0 left of the position after reductions in flight', 0]],
  ])('S10: %j beside %s in flight: %j', (change, inFlight, expected) => {
    expect(judge(change, inFlight)).toEqual(expected);
  });

  it('S10: none is refused as such', () => {
    expect(judgeProof(undefined, 0, 1_000)).toEqual({
      holds: false,
      refusal: {
        code: 'not_reducing',
        source: 'verify_reduce',
        reason: 'no complete proof that the order reduces a position',
        maxQuantity: 0,
      },
    });
  });

  const INCOMPLETE: readonly unknown[] = [
    undefined,
    null,
    'text',
    7,
    ...(['account', 'symbol'] as const).flatMap((field) => ['', 7, undefined].map((value) => ({ ...LONG, [field]: value }))),
    ...['long', '', undefined].map((side) => ({ ...LONG, side })),
    ...(['quantity', 'position', 'positionAgeMs'] as const).flatMap((field) =>
      [Number.NaN, Number.POSITIVE_INFINITY, '4', undefined].map((value) => ({ ...LONG, [field]: value })),
    ),
  ];

  it.each(INCOMPLETE)('S10: is incomplete: %j', (value) => {
    const verdict = new ReductionBook().verify(value, 0, 1_000);
    expect(verdict).toMatchObject({ holds: false, refusal: { reason: 'no complete proof that the order reduces a position' } });
  });
});

describe('the book', () => {
  const book = () => {
    const made = new ReductionBook();
    made.keepFor(1_000);
    return made;
  };
  const leftOf = (made: ReductionBook, nowMs: number, positionAgeMs: number) => {
    const verdict = made.verify({ ...LONG, quantity: 100, positionAgeMs }, nowMs, 1_000);
    return verdict.holds ? undefined : verdict.refusal.maxQuantity;
  };

  it('S10: an acknowledged reduction is shown by a position that was read after it, and not by one of the same moment', () => {
    const made = book();
    settleReduction(made.add(LONG, 1, 0), 'acknowledged', 500);
    expect([leftOf(made, 600, 101), leftOf(made, 600, 100), leftOf(made, 600, 99)]).toEqual([6, 6, 10]);
  });

  it('S10: it is remembered for as long as an older position is accepted, and no longer', () => {
    const made = book();
    settleReduction(made.add(LONG, 1, 0), 'acknowledged', 500);
    expect([leftOf(made, 1_500, 1_000), made.positions]).toEqual([6, 1]);
    expect([leftOf(made, 1_501, 1_000), made.positions]).toEqual([10, 0]);
  });

  it('S10: the other side takes nothing from the position, and a refused one is forgotten', () => {
    const made = book();
    made.add({ ...LONG, side: 'buy' }, 1, 0);
    expect(leftOf(made, 10, 0)).toBe(10);
    const mine = made.add(LONG, 2, 0);
    expect(leftOf(made, 10, 0)).toBe(6);
    settleReduction(mine, 'refused', 20);
    expect([leftOf(made, 30, 0), made.positions]).toEqual([10, 1]);
  });

  it('S10: a resolution touches the order that it names, and no other', () => {
    const made = book();
    for (const entryId of [1, 2]) settleReduction(made.add(LONG, entryId, 0), 'unknown', 5);
    expect(leftOf(made, 10, 0)).toBe(2);
    made.resolve(1, 'refused', 20);
    expect(leftOf(made, 30, 0)).toBe(6);
    made.resolve(2, 'acknowledged', 40);
    expect([leftOf(made, 50, 20), leftOf(made, 50, 5)]).toEqual([6, 10]);
  });
});
