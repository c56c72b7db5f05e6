import fc from 'fast-check';
import { expect, it } from 'vitest';
import { abnormalVolatility } from '../../src/breakers/abnormalVolatility.js';
import { missingMarketData } from '../../src/breakers/missingMarketData.js';
import { calm, scene } from '../breakers/support.js';
import { fcSeed } from '../support/seed.js';

const CODES = new Map<unknown, string>([
  [Number.NaN, 'price_not_a_number'],
  [Number.POSITIVE_INFINITY, 'price_infinite'],
  [Number.NEGATIVE_INFINITY, 'price_infinite'],
  [-1, 'price_negative'],
  [0, 'price_zero'],
  [undefined, 'price_missing'],
  [null, 'price_missing'],
]);

it('trap 19: one bad price anywhere among the prices that are looked at trips, with a reason of its own', () => {
  const bad = fc.constantFrom(...CODES.keys());
  fc.assert(
    fc.property(bad, fc.integer({ min: 0, max: 37 }), (price, index) => {
      const closes = calm(38).map((close, at) => (at === index ? price : close)) as number[];
      const expected = { triggered: true, reasonCode: CODES.get(price) };
      expect(abnormalVolatility(closes, { threshold: 1e9 })).toMatchObject(expected);
      expect(missingMarketData(closes.map((close) => ({ close })))).toMatchObject(expected);
      const { breakers, clock } = scene({});
      for (const [at, close] of closes.entries()) breakers.recordBar({ openMs: clock.wallMs() - 1e6 + at, close });
      expect(breakers.verdict()).toMatchObject({ ...expected, type: 'invalid_data' });
    }),
    { seed: fcSeed, numRuns: 200 },
  );
});

it('trap 19: a NaN does not make the comparison with the threshold false and the breaker silent', () => {
  const closes = calm(38);
  closes[37] = Number.NaN;
  // What a ratio of sigmas says where nobody looks at the prices first.
  const ratio = closes.reduce((sum, close) => sum + close, 0);
  expect(ratio > 3).toBe(false);
  expect(abnormalVolatility(closes, { threshold: 3 }).triggered).toBe(true);
});
