/** The arithmetic behind the checks, against plain recomputation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVolatility, VOLATILITY_DEFAULTS, type VolatilityOptions } from '../../src/breakers/options.js';
import { OFF, passes } from '../../src/breakers/result.js';
import { closesNeeded, insufficientData, judgeVolatility, logReturn, medianOfThree, sigmaOf } from '../../src/breakers/volatility.js';
import { VolatilityStream } from '../../src/breakers/volatilityStream.js';
import { WindowSum } from '../../src/breakers/windowSum.js';
import { fcSeed } from '../support/seed.js';

const options = (changes: Partial<VolatilityOptions> = {}): VolatilityOptions => ({ ...VOLATILITY_DEFAULTS, threshold: 2, ...changes });

describe('log returns', () => {
  it('are accurate for prices that are close together, and for such as are far apart', () => {
    expect(logReturn(100, 100)).toBe(0);
    const nudged = 300_000 + 1e-6;
    expect(logReturn(300_000, nudged) / ((nudged - 300_000) / 300_000)).toBeCloseTo(1, 9);
    expect(logReturn(1e-300, 1e300)).toBeCloseTo(600 * Math.LN10, 9);
    const prices = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(prices, prices, (previous, next) => {
        expect(logReturn(previous, next)).toBeCloseTo(Math.log(next) - Math.log(previous), 9);
      }),
      { seed: fcSeed },
    );
  });

  it('scatter by sigma, and have a middle', () => {
    expect(sigmaOf([1, 3])).toBe(1);
    expect(sigmaOf([2, 2, 2])).toBe(0);
    const three = [1, 2, 3].flatMap((a) => [1, 2, 3].flatMap((b) => [1, 2, 3].map((c) => [a, b, c] as const)));
    for (const [a, b, c] of three) expect(medianOfThree(a, b, c)).toBe([a, b, c].toSorted((x, y) => x - y)[1]);
  });
});

describe('a volatility', () => {
  it('is judged against so many times the baseline, in words and figures', () => {
    const details = { recentSigma: 0.02, baselineSigma: 0.01, ratio: 2, threshold: 2, usage: 1 };
    expect(judgeVolatility(0.02, 0.01, options())).toEqual(passes('ok', 'recent volatility is 2.000 times the baseline', details));
    expect(judgeVolatility(0.03, 0.01, options())).toEqual({
      triggered: true,
      reasonCode: 'abnormal_volatility',
      message: 'recent volatility is 3.000 times the baseline, more than 2',
      details: { ...details, recentSigma: 0.03, ratio: 3, usage: 1.5 },
    });
    expect(judgeVolatility(Number.NaN, 0.01, options()).triggered).toBe(true);
  });

  it('of a tiny baseline is judged against the least one that counts', () => {
    const tiny = options({ minBaseline: 0.01 });
    expect(judgeVolatility(0.02, 0, tiny)).toEqual({
      triggered: false,
      reasonCode: 'volatility_baseline_too_small',
      message: 'the baseline is 0, taken as 0.01: the recent volatility is 2 times that',
      details: { recentSigma: 0.02, baselineSigma: 0, ratio: 2, threshold: 2, usage: 1 },
    });
    expect(judgeVolatility(0.021, 0.001, tiny).triggered).toBe(true);
    expect(judgeVolatility(0.02, 0.01, tiny).reasonCode).toBe('ok');
    expect(judgeVolatility(0.02, Number.NaN, tiny).reasonCode).toBe('volatility_baseline_too_small');
  });

  it('needs so many closes, and says how many there are', () => {
    expect(closesNeeded(options({ recentN: 5, baselineN: 30, estimator: 'plain' }))).toBe(36);
    expect(closesNeeded(options({ recentN: 5, baselineN: 30, estimator: 'robust' }))).toBe(38);
    const few = passes('volatility_insufficient_data', '3 closes of the 38 that fill both windows', { closes: 3, needed: 38 });
    expect(insufficientData(3, options())).toEqual(few);
    expect(insufficientData(3, options({ onInsufficientData: 'trip' }))).toEqual({ ...few, triggered: true });
  });

  it('of a stream is off at a threshold of nothing, and counts its closes until the windows are full', () => {
    const off = new VolatilityStream(options({ threshold: 0 }));
    expect([off.push(1), off.judge()]).toEqual([OFF, OFF]);
    const stream = new VolatilityStream(options({ recentN: 2, baselineN: 2, estimator: 'robust' }));
    expect(stream.judge()).toMatchObject({ details: { closes: 0, needed: 7 } });
    const told = [1, 2, 3, 4, 5, 6].map((close) => stream.push(close));
    expect(told.map(({ details }) => details['closes'])).toEqual([1, 2, 3, 4, 5, 6]);
    expect(stream.push(7).reasonCode).not.toBe('volatility_insufficient_data');
    expect(stream.judge().reasonCode).not.toBe('volatility_insufficient_data');
  });

  it('that could never be reached is refused, at its bound not yet', () => {
    const bound = 1_500 / 1e-3;
    expect(checkVolatility('v', { threshold: bound, minBaseline: 1e-3 }).threshold).toBe(bound);
    expect(() => checkVolatility('v', { threshold: bound * 1.01, minBaseline: 1e-3 })).toThrow(/^v\.threshold = 1515000: .*minBaseline/);
  });
});

describe('a sum over a window', () => {
  it('is that of what came within it, and begins again when it is cleared', () => {
    const entries = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 5 })), { maxLength: 60 });
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 12 }), fc.nat(60), (steps, windowMs, clearedAt) => {
        const sum = new WindowSum(windowMs);
        let kept: { atMs: number; value: number }[] = [];
        let nowMs = 0;
        for (const [index, [stepMs, value]] of steps.entries()) {
          nowMs += stepMs;
          if (index === clearedAt) {
            sum.clear();
            kept = [];
          }
          sum.add(nowMs, value);
          kept.push({ atMs: nowMs, value });
          const within = kept.filter(({ atMs }) => atMs > nowMs - windowMs);
          expect(sum.sum(nowMs)).toBe(within.reduce((total, entry) => total + entry.value, 0));
        }
      }),
      { seed: fcSeed, numRuns: 300 },
    );
    const sum = new WindowSum(10);
    sum.add(0, 1);
    sum.add(5, 2);
    expect([sum.sum(9), sum.sum(10), sum.sum(14), sum.sum(15)]).toEqual([3, 2, 2, 0]);
  });
});
