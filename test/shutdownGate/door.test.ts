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

  it.each<[string, object]>([
    ['no reason', { source: 'desk' }],
    ['no source', { reason: 'enough' }],
    ['a reason that is no text', { source: 'desk', reason: 7 }],
    ['a source that is no text', { source: null, reason: 'enough' }],
  ])('S3: a refusal with %s stands under the name of its permission', (_what, words) => {
    const refusal = { code: 'trading_halted', sinceWallMs: 3, ...words } as ReturnType<typeof refusalOf>;
    const told = firstRefusal([{ name: 'a', check: () => refusal }], { nowMs: 0, intent: 'increase' });
    expect(told).toEqual({ code: 'trading_halted', sinceWallMs: 3, source: 'a', reason: 'no reason given' });
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['true', true],
    ['a text', 'trading_halted'],
    ['an object without a code', { reason: 'no' }],
    ['a code that nobody knows', { code: 'closed', source: 's', reason: 'r' }],
    ['a code that is no text', { code: ['trading_halted'], source: 's', reason: 'r' }],
  ])('S3: %s for an answer halts, and is told as what it is', (_what, answer) => {
    const told = firstRefusal([{ name: 'a', check: () => answer as undefined }], { nowMs: 0, intent: 'increase' });
    const reason = 'its check answered something that is neither a refusal nor undefined';
    expect(told).toEqual({ code: 'trading_halted', source: 'a', reason });
  });

  it('S3: a check that throws halts with its words', () => {
    const check = () => {
      throw new Error('no table');
    };
    const told = firstRefusal([{ name: 'a', check }], { nowMs: 0, intent: 'increase' });
    expect(told).toEqual({ code: 'trading_halted', source: 'a', reason: 'its check threw: no table' });
  });

  it('nobody refuses: undefined', () => {
    expect(firstRefusal([{ name: 'yes', check: () => undefined }], { nowMs: 0, intent: 'increase' })).toBeUndefined();
  });
});
