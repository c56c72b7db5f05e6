/** Client order ids of closes: two closes never share one, or the venue takes the second for a repetition of the first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { legKey } from '../../src/emergencyExit/book.js';
import { closeOrderId } from '../../src/emergencyExit/legs.js';
import { fcSeed } from '../support/seed.js';

const ALIKE = ['AAPL', 'AAPL-1', 'AAPL-11', 'BTC/USDT', 'BTC.USDT', 'BTC-USDT', 'BTC/USDT:USDT', 'AAPL.long', 'A/netX', 'AX', 'ÄÖ'];
const SIDES = ['net', 'long', 'short'] as const;
const symbols = fc.oneof(fc.constantFrom(...ALIKE), fc.stringMatching(/^[A-C./:_-]{1,6}$/), fc.stringMatching(/^[A-Z]{20,40}$/));
const close = fc.record({ symbol: symbols, positionSide: fc.constantFrom(...SIDES), attempt: fc.integer({ min: 1, max: 12 }) });
const idOf = ({ symbol, positionSide, attempt }: { symbol: string; positionSide: 'net' | 'long' | 'short'; attempt: number }) =>
  closeOrderId('ff-01234567', legKey({ symbol, positionSide }), attempt);

describe('closeOrderId', () => {
  it('S4: symbols that look alike have ids of their own', () => {
    const all = ALIKE.flatMap((symbol) =>
      SIDES.flatMap((positionSide) => [1, 11].map((attempt) => idOf({ symbol, positionSide, attempt }))),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it('S4: closes of different positions or attempts never share a client order id, whatever the venue calls its symbols', () => {
    fc.assert(
      fc.property(close, close, (one, other) => {
        const same = one.symbol === other.symbol && one.positionSide === other.positionSide && one.attempt === other.attempt;
        expect(idOf(one) === idOf(other)).toBe(same);
      }),
      { seed: fcSeed, numRuns: 5_000 },
    );
  });

  it('is short and plain enough for venues that take 36 letters, digits, dots and dashes', () => {
    fc.assert(
      fc.property(close, (one) => {
        expect(idOf(one)).toMatch(/^[A-Za-z0-9.-]{1,36}$/);
      }),
      { seed: fcSeed },
    );
    expect(idOf({ symbol: 'AAPL', positionSide: 'net', attempt: 1 })).toBe('ff-01234567-AAPL-1');
  });
});
