import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFUSAL_CODES, type RefusalCode } from '../../src/permission.js';
import { firstRefusal } from '../../src/shutdownGate/door.js';
import { FC_SEED, refusalOf } from './support.js';

const ORDER: RefusalCode[] = REFUSAL_CODES.flatMap((code) =>
  code === 'not_reducing' ? ['circuit_breaker_volatility' as const, code] : [code],
);

describe('order door', () => {
  it('of several refusals the first in the published order is told, breakers between the lease and not_reducing', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(ORDER, { minLength: 1 }), (codes) => {
        const permissions = codes.map((code) => ({ name: code, check: () => refusalOf(code) }));
        const told = firstRefusal([{ name: 'yes', check: () => undefined }, ...permissions], { nowMs: 0, intent: 'increase' });
        expect(told?.code).toBe(ORDER.find((code) => codes.includes(code)));
      }),
      { seed: FC_SEED },
    );
  });

  it('among equals the first asked is told, and words left out are filled in', () => {
    const bare = { code: 'trading_halted' } as ReturnType<typeof refusalOf>;
    const permissions = ['a', 'b'].map((name) => ({ name, check: () => bare }));
    expect(firstRefusal(permissions, { nowMs: 0, intent: 'increase' })).toEqual({
      code: 'trading_halted',
      source: 'a',
      reason: 'no reason given',
    });
  });

  it('nobody refuses: undefined', () => {
    expect(firstRefusal([{ name: 'yes', check: () => undefined }], { nowMs: 0, intent: 'increase' })).toBeUndefined();
  });
});
