/** The blast radius is arithmetic of what was seen: shares of strategies and of orders, and whether they are beyond their limit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blastRadius, isBeyond, shownBlast } from '../../../src/chaos/suite/blastRadius.js';
import type { OrderAttempt } from '../../../src/drill/orderLog.js';

const attempt = (clientOrderId: string, atMs: number, result: OrderAttempt['result'] = 'admitted'): OrderAttempt => ({
  clientOrderId,
  atMs,
  result,
});
const STRATEGIES = ['drill-1-', 'drill-2-'];
const SPAN = { fromMs: 10, untilMs: 20, strategies: STRATEGIES };

describe('the shares', () => {
  it('count what was refused within the span, and nothing outside', () => {
    const attempts = [
      attempt('drill-1-0', 9, 'refused'),
      attempt('drill-1-1', 10, 'refused'),
      attempt('drill-1-2', 11),
      attempt('drill-2-1', 12),
      attempt('drill-2-2', 20, 'refused'),
    ];
    expect(blastRadius(attempts, SPAN)).toEqual({ strategies: 0.5, orders: 1 / 3, attempts: 3 });
  });

  it('count an order that the venue never took, where that is known', () => {
    const attempts = [attempt('drill-1-1', 11), attempt('drill-2-1', 12)];
    expect(blastRadius(attempts, SPAN)).toMatchObject({ strategies: 0, orders: 0 });
    expect(blastRadius(attempts, { ...SPAN, taken: new Set(['drill-2-1']) })).toMatchObject({ strategies: 0.5, orders: 0.5 });
  });

  it('do not take one strategy for another whose number begins alike', () => {
    expect(blastRadius([attempt('drill-11-1', 11, 'refused')], SPAN)).toMatchObject({ strategies: 0, orders: 1 });
  });

  it('are shares, whatever was seen, and only grow with what was refused', () => {
    const seen = fc.array(fc.record({ own: fc.nat({ max: 1 }), atMs: fc.integer({ min: 0, max: 30 }), refused: fc.boolean() }));
    fc.assert(
      fc.property(seen, (all) => {
        const made = (worse: boolean) =>
          blastRadius(
            all.map(({ own, atMs, refused }, index) =>
              attempt(`${STRATEGIES[own]}${index}`, atMs, refused || worse ? 'refused' : 'admitted'),
            ),
            SPAN,
          );
        const [now, worse] = [made(false), made(true)];
        for (const share of [now.strategies, now.orders]) expect(share).toSatisfy((value: number) => value >= 0 && value <= 1);
        expect(worse.orders).toBeGreaterThanOrEqual(now.orders);
        expect(worse.strategies).toBeGreaterThanOrEqual(now.strategies);
      }),
    );
  });
});

describe('the limit', () => {
  const blast = (strategies: number, orders: number, attempts = 1_000) => ({ strategies, orders, attempts });
  const LIMIT = { strategies: 0.25, orders: 0.3 };

  it.each([
    ['both are at it', blast(0.25, 0.3), false],
    ['a strategy too many', blast(0.5, 0), true],
    ['orders too many', blast(0.25, 0.31), true],
  ])('%s', (_, seen, isIt) => {
    expect(isBeyond(seen, LIMIT, { atOnce: true })).toBe(isIt);
    expect(isBeyond(seen, LIMIT, { atOnce: false })).toBe(isIt);
  });

  it('the first orders alone do not stop a fault, and count at the end', () => {
    expect(isBeyond(blast(0.25, 0.9, 99), LIMIT, { atOnce: true })).toBe(false);
    expect(isBeyond(blast(0.25, 0.9, 99), LIMIT, { atOnce: false })).toBe(true);
  });

  it('is told beside what was seen', () => {
    expect(shownBlast(blast(0.5, 0.125), LIMIT)).toBe('50.0 % of the strategies, at most 25.0 %; 12.5 % of 1000 orders, at most 30.0 %');
  });
});
