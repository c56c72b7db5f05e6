import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abnormalVolatility } from '../../src/breakers/abnormalVolatility.js';
import { checkVolatility, type VolatilityOptions } from '../../src/breakers/options.js';
import type { Details } from '../../src/breakers/result.js';
import { SlidingMoments } from '../../src/breakers/slidingMoments.js';
import { closesNeeded, logReturn, medianOfThree, sigmaOf } from '../../src/breakers/volatility.js';
import { VolatilityStream } from '../../src/breakers/volatilityStream.js';
import { WindowSum } from '../../src/breakers/windowSum.js';
import { type Random, seededRandom } from '../../src/random.js';
import { fcSeed } from '../support/seed.js';

const RELATIVE_ERROR = 1e-9;
/** `npm run streams` asks for so many more. */
const SERIES = Number(process.env['STREAM_SERIES'] ?? 300);
const BARS = Number(process.env['STREAM_BARS'] ?? 5_000);
const RUNS = { seed: fcSeed, numRuns: SERIES };
const TIMEOUT_MS = 3_600_000;

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

describe('SlidingMoments', { timeout: TIMEOUT_MS }, () => {
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

/** The largest return that either window holds, behind the filter. */
function largestReturn(closes: readonly number[], estimator: 'plain' | 'robust'): number {
  const prices =
    estimator === 'plain' ? closes : closes.slice(2).map((close, at) => medianOfThree(closes[at] ?? close, closes[at + 1] ?? close, close));
  return largestOf(prices.slice(1).map((next, at) => logReturn(prices[at] ?? next, next)));
}

function errorOf(streamed: Details, listed: Details): number {
  return Math.max(...(['recentSigma', 'baselineSigma'] as const).map((name) => Math.abs(Number(streamed[name]) - Number(listed[name]))));
}

/** What one bar does to the price, by the stretch of the stream that it stands in. */
const STRETCHES: readonly ((random: Random) => number)[] = [
  (random) => 1 + (random.next() - 0.5) * 1e-3,
  () => 1,
  (random) => 1 + (random.next() - 0.5) * 1e-13,
  (random) => 10 ** ((random.next() - 0.5) * 200),
  (random) => 1 + (random.next() - 0.5) * 0.1,
  // One that leaves something huge just as the stretch begins.
  (random) => (random.next() < 0.04 ? 10 ** ((random.next() - 0.5) * 50) : 1),
];

describe('VolatilityStream', { timeout: TIMEOUT_MS }, () => {
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
          const seen = prices.slice(Math.max(0, index + 1 - closesNeeded(checked)), index + 1);
          const band = RELATIVE_ERROR * largestReturn(seen, checked.estimator) * (1 + checked.threshold);
          const distance = recentSigma - checked.threshold * Math.max(baselineSigma, checked.minBaseline);
          if (Math.abs(distance) > band) expect(streamed.triggered).toBe(listed.triggered);
        });
      }),
      RUNS,
    );
  });

  it.each(['plain', 'robust'] as const)(
    '%s: one long stream of calm, frozen, tiny, huge and wild stretches decides as the list does',
    (estimator) => {
      const checked = checkVolatility('volatility', { threshold: 3, estimator });
      const needed = closesNeeded(checked);
      const stream = new VolatilityStream(checked);
      const random = seededRandom(fcSeed);
      const kept: number[] = [];
      let close = 100;
      let stretch = 0;
      let [decided, tripped, worst] = [0, 0, 0];
      for (let bar = 0; bar < BARS; bar += 1) {
        if (bar % 50 === 0) stretch = Math.floor(random.next() * STRETCHES.length);
        close = Math.min(1e300, Math.max(1e-300, close * (STRETCHES[stretch]?.(random) ?? 1)));
        kept.push(close);
        if (kept.length > needed) kept.shift();
        const streamed = stream.push(close);
        const listed = abnormalVolatility(kept, checked);
        if (listed.reasonCode === 'volatility_insufficient_data') continue;
        const error = errorOf(streamed.details, listed.details);
        const largest = largestReturn(kept, estimator);
        if (error > RELATIVE_ERROR * largest) expect.fail(`bar ${bar}: off by ${error}, the largest return is ${largest}`);
        worst = Math.max(worst, largest === 0 ? 0 : error / largest);
        const { recentSigma, baselineSigma } = listed.details as { recentSigma: number; baselineSigma: number };
        const distance = recentSigma - checked.threshold * Math.max(baselineSigma, checked.minBaseline);
        if (Math.abs(distance) <= RELATIVE_ERROR * largest * (1 + checked.threshold)) continue;
        decided += 1;
        if (listed.triggered) tripped += 1;
        if (streamed.triggered !== listed.triggered) expect.fail(`bar ${bar}: ${JSON.stringify({ streamed, listed })}`);
      }
      if (SERIES > 300)
        console.log(`${estimator}: ${BARS} bars, ${decided} decided, ${tripped} tripped, largest error ${worst} of the largest return`);
      expect(decided).toBeGreaterThan(BARS / 4);
      expect(tripped).toBeGreaterThan(BARS / 100);
    },
  );
});

describe('WindowSum', { timeout: TIMEOUT_MS }, () => {
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
