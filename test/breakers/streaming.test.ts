import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abnormalVolatility } from '../../src/breakers/abnormalVolatility.js';
import { checkVolatility, type VolatilityOptions } from '../../src/breakers/options.js';
import { SlidingMoments } from '../../src/breakers/slidingMoments.js';
import { logReturn, sigmaOf } from '../../src/breakers/volatility.js';
import { VolatilityStream } from '../../src/breakers/volatilityStream.js';
import { WindowSum } from '../../src/breakers/windowSum.js';
import { fcSeed } from '../support/seed.js';

const RELATIVE_ERROR = 1e-9;
const RUNS = { seed: fcSeed, numRuns: 300 };

const anySeries: fc.Arbitrary<number[]> = fc.oneof(
  fc
    .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 200 }))
    .map(([value, length]) => Array(length).fill(value) as number[]),
  fc.array(fc.double({ min: -1e-12, max: 1e-12, noNaN: true }), { minLength: 1, maxLength: 200 }),
  // Huge, then constant: what has left must leave no trace.
  fc
    .tuple(
      fc.array(fc.double({ min: -1e120, max: 1e120, noNaN: true }), { minLength: 1, maxLength: 40 }),
      fc.double({ min: -1, max: 1, noNaN: true }),
    )
    .map(([huge, value]) => [...huge, ...(Array(150).fill(value) as number[])]),
  // Scales that are far apart, one after the other, with signs that cancel.
  fc.array(
    fc
      .tuple(fc.integer({ min: -30, max: 30 }), fc.double({ min: -1, max: 1, noNaN: true }))
      .map(([exponent, value]) => value * 10 ** exponent),
    { minLength: 1, maxLength: 200 },
  ),
  // A large level with a little noise.
  fc
    .tuple(
      fc.double({ min: 1e3, max: 1e9, noNaN: true }),
      fc.array(fc.double({ min: -1e-3, max: 1e-3, noNaN: true }), { minLength: 1, maxLength: 200 }),
    )
    .map(([level, noise]) => noise.map((value) => level + value)),
);

/** No return of a price is smaller than this and not zero; the square of a much smaller one would be zero in any way of computing. */
const SMALLEST = 1e-100;
const series = anySeries.map((values) => values.map((value) => (Math.abs(value) < SMALLEST ? 0 : value)));

const largestOf = (values: readonly number[]): number => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

describe('SlidingMoments', () => {
  it('is within 1e-9 of the largest value in the window of what two passes give', () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 60 }), (values, window) => {
        const moments = new SlidingMoments(window);
        const left: number[] = [];
        values.forEach((value, index) => {
          const gone = moments.push(value);
          if (gone !== undefined) left.push(gone);
          const inside = values.slice(Math.max(0, index + 1 - window), index + 1);
          expect(Math.abs(moments.sigma() - sigmaOf(inside))).toBeLessThanOrEqual(RELATIVE_ERROR * largestOf(inside));
          expect(moments.isFull).toBe(inside.length === window);
        });
        expect(left).toEqual(values.slice(0, Math.max(0, values.length - window)));
      }),
      RUNS,
    );
  });

  it('is exactly zero on a constant, also right after something huge', () => {
    const moments = new SlidingMoments(5);
    for (const value of [1e150, -1e150, 3, 0.1, 0.1, 0.1, 0.1, 0.1]) moments.push(value);
    expect(moments.sigma()).toBe(0);
  });
});

describe('VolatilityStream', () => {
  const closes = fc.oneof(
    fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 120 }),
    fc.array(fc.double({ min: 99.9, max: 100.1, noNaN: true }), { minLength: 1, maxLength: 120 }),
    fc.array(fc.constantFrom(1, 1, 1, 1.0001, 1e300, 5e-324), { minLength: 1, maxLength: 120 }),
    fc
      .tuple(fc.constantFrom(1e300, 1e-300), fc.array(fc.constantFrom(100, 100.01), { minLength: 60, maxLength: 120 }))
      .map(([huge, calm]) => [huge, ...calm]),
  );
  const options = fc.record({
    threshold: fc.double({ min: 0.5, max: 10, noNaN: true }),
    recentN: fc.integer({ min: 2, max: 8 }),
    baselineN: fc.integer({ min: 2, max: 40 }),
    estimator: fc.constantFrom('plain' as const, 'robust' as const),
  });

  it('decides as the check over the list does, except within the error of the arithmetic', () => {
    fc.assert(
      fc.property(closes, options, (prices, given) => {
        const checked: VolatilityOptions = checkVolatility('volatility', given);
        const stream = new VolatilityStream(checked);
        prices.forEach((close, index) => {
          const streamed = stream.push(close);
          const listed = abnormalVolatility(prices.slice(0, index + 1), given);
          if (listed.reasonCode === 'volatility_insufficient_data') {
            expect(streamed).toEqual({ ...listed, message: streamed.message, details: streamed.details });
            return;
          }
          const { recentSigma, baselineSigma } = listed.details as { recentSigma: number; baselineSigma: number };
          const returns = prices.slice(1, index + 1).map((next, at) => logReturn(prices[at] ?? next, next));
          const band = RELATIVE_ERROR * largestOf(returns) * (1 + checked.threshold);
          const distance = recentSigma - checked.threshold * Math.max(baselineSigma, checked.minBaseline);
          if (Math.abs(distance) > band) expect(streamed.triggered).toBe(listed.triggered);
        });
      }),
      RUNS,
    );
  });
});

describe('WindowSum', () => {
  it('is the sum of what is younger than the window', () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 50 }), fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1e12, noNaN: true }))),
      {
        minLength: 1,
        maxLength: 200,
      },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 200 }), (entries, windowMs) => {
        const window = new WindowSum(windowMs);
        const seen: { atMs: number; value: number }[] = [];
        let nowMs = 0;
        for (const [afterMs, value] of entries) {
          nowMs += afterMs;
          window.add(nowMs, value);
          seen.push({ atMs: nowMs, value });
          const inside = seen.filter(({ atMs }) => atMs > nowMs - windowMs).map((entry) => entry.value);
          const expected = inside.reduce((sum, one) => sum + one, 0);
          expect(Math.abs(window.sum(nowMs) - expected)).toBeLessThanOrEqual(RELATIVE_ERROR * largestOf(inside));
        }
        expect(window.sum(nowMs + windowMs)).toBe(0);
      }),
      RUNS,
    );
  });
});
