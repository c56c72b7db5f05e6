import { expect, it } from 'vitest';
import { abnormalVolatility } from '../../src/breakers/abnormalVolatility.js';
import { logReturn, sigmaOf } from '../../src/breakers/volatility.js';

/** A calm that is nearly frozen, and then a storm. */
const STORM = [...Array.from({ length: 31 }, (_, index) => 100 + (index % 2) * 1e-9), 50, 100, 50, 100, 50];

it('trap 17: a baseline that holds the recent window bounds the ratio by √6 = 2.449, so that a threshold of 3 never trips', () => {
  const returns = STORM.slice(1).map((close, index) => logReturn(STORM[index] ?? close, close));
  const overlapping = sigmaOf(returns.slice(-5)) / sigmaOf(returns.slice(-30));
  expect(overlapping).toBeLessThan(Math.sqrt(30 / 5));
  expect(overlapping).toBeLessThan(3);
});

it('trap 17: here the windows share no return, and the same storm trips at any threshold', () => {
  expect(abnormalVolatility(STORM, { threshold: 3, estimator: 'plain' })).toMatchObject({
    triggered: true,
    reasonCode: 'abnormal_volatility',
  });
  expect(abnormalVolatility(STORM, { threshold: 1e6, estimator: 'plain' }).triggered).toBe(true);
});

it('trap 17: a threshold that could never be reached is refused', () => {
  expect(() => abnormalVolatility(STORM, { threshold: 3, recentN: 1 })).toThrow(/recentN = 1/);
  expect(() => abnormalVolatility(STORM, { threshold: 2, minBaseline: 1_000 })).toThrow(/threshold = 2: can never be reached/);
});
