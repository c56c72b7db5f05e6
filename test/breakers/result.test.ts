/** The answer that every check gives, and the words in which it is given. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  againstLimit,
  type CheckResult,
  evaluated,
  isFiniteNumber,
  isFinitePositive,
  nearest,
  OFF,
  OK,
  passes,
  priceFault,
  shortened,
  trips,
  wordsOf,
} from '../../src/breakers/result.js';
import { fcSeed } from '../support/seed.js';

const words = { code: 'order_rate', what: 'orders:' } as const;

describe('what a check answers', () => {
  it('has code, words and details', () => {
    expect(OK).toEqual({ triggered: false, reasonCode: 'ok', message: 'nothing is wrong', details: {} });
    expect(OFF).toEqual({ triggered: false, reasonCode: 'off', message: 'this check is off', details: {} });
    expect(trips('drawdown', 'down')).toEqual({ triggered: true, reasonCode: 'drawdown', message: 'down', details: {} });
    expect(passes('ok', 'fine', { value: 1 })).toEqual({ triggered: false, reasonCode: 'ok', message: 'fine', details: { value: 1 } });
  });

  it('is a reason to stop where the check throws, whatever it throws', () => {
    const failing = (thrown: unknown) =>
      evaluated(() => {
        throw thrown;
      });
    const failed = { triggered: true, reasonCode: 'evaluation_error', details: {} };
    expect(failing(new Error('no data'))).toEqual({ ...failed, message: 'the check failed: no data' });
    expect(failing('bad')).toEqual({ ...failed, message: 'the check failed: bad' });
    expect(failing(Object.create(null))).toEqual({ ...failed, message: 'the check failed: an object' });
    expect(evaluated(() => OK)).toBe(OK);
  });
});

describe('words of a datum', () => {
  it('are its text, cut after a hundred characters', () => {
    expect([1.5, 'x', true, undefined, null, 10n].map(wordsOf)).toEqual(['1.5', 'x', 'true', 'undefined', 'null', '10']);
    expect([{}, [], new Date(0)].map(wordsOf)).toEqual(['an object', 'an object', 'an object']);
    expect(wordsOf('y'.repeat(100))).toBe('y'.repeat(100));
    expect(wordsOf('y'.repeat(101))).toBe(`${'y'.repeat(100)}…`);
    const mute = Object.assign(() => undefined, {
      toString: () => {
        throw new Error('no text');
      },
    });
    expect(wordsOf(mute)).toBe('something that has no text');
  });

  it('of a message are cut after five hundred', () => {
    expect(shortened('z'.repeat(500))).toBe('z'.repeat(500));
    expect(shortened('z'.repeat(501))).toBe(`${'z'.repeat(500)}…`);
  });
});

describe('a figure', () => {
  it('counts only as a finite number', () => {
    for (const value of ['1', true, null, undefined, {}, [1], 1n, Number.NaN, Infinity, -Infinity]) {
      expect(isFiniteNumber(value)).toBe(false);
      expect(isFinitePositive(value)).toBe(false);
    }
    expect([-1, 0, 1].map(isFiniteNumber)).toEqual([true, true, true]);
    expect([-1, 0, 5e-324].map(isFinitePositive)).toEqual([false, false, true]);
  });

  it('that is no price has a reason of its own, in words that name it', () => {
    const told = (value: unknown) => {
      const fault = priceFault(value);
      return fault && [fault.triggered, fault.reasonCode, fault.message];
    };
    expect(told(1.5)).toBeUndefined();
    for (const missing of [undefined, null]) expect(told(missing)).toEqual([true, 'price_missing', 'the price is missing']);
    expect(told('1')).toEqual([true, 'price_not_a_number', 'the price is not a number: 1']);
    expect(told(Number.NaN)).toEqual([true, 'price_not_a_number', 'the price is not a number: NaN']);
    for (const value of [Infinity, -Infinity]) expect(told(value)).toEqual([true, 'price_infinite', 'the price is infinite']);
    for (const value of [0, -0]) expect(told(value)).toEqual([true, 'price_zero', 'the price is zero']);
    expect(told(-2)).toEqual([true, 'price_negative', 'the price is negative: -2']);
    expect(priceFault(undefined, 'the bid')?.message).toBe('the bid is missing');
  });

  it('trips above its limit, or from it on, and tells which share of it is used', () => {
    expect(againstLimit(5, 5, words)).toEqual(passes('ok', 'orders: 5 of 5', { value: 5, limit: 5, usage: 1 }));
    expect(againstLimit(6, 5, words)).toEqual(trips('order_rate', 'orders: 6 is more than 5', { value: 6, limit: 5, usage: 1.2 }));
    const inclusive = { ...words, inclusive: true, details: { window: 9 } };
    expect(againstLimit(5, 5, inclusive)).toEqual(
      trips('order_rate', 'orders: 5 reaches the limit of 5', { window: 9, value: 5, limit: 5, usage: 1 }),
    );
    expect(againstLimit(4, 5, inclusive)).toEqual(passes('ok', 'orders: 4 of 5', { window: 9, value: 4, limit: 5, usage: 0.8 }));
  });

  it('against a limit of nothing uses all of it once there is any', () => {
    expect([-1, 0, 0.5].map((value) => againstLimit(value, 0, words).details['usage'])).toEqual([0, 0, 1]);
  });

  it('that is no number trips, whichever way the limit is meant', () => {
    for (const inclusive of [true, false]) {
      expect(againstLimit(Number.NaN, 5, { ...words, inclusive }).triggered).toBe(true);
      expect(againstLimit(5, Number.NaN, { ...words, inclusive }).triggered).toBe(true);
    }
  });
});

describe('of several that pass', () => {
  const used = (usage: unknown): CheckResult => ({
    ...OK,
    message: String(usage),
    details: usage === undefined ? {} : { usage: usage as number },
  });

  it('the one closest to its limit is told, the first of equals', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.constantFrom(0, 0.2, 0.5, 0.9), { nil: undefined }), { minLength: 1 }), (usages) => {
        const results = usages.map(used);
        const share = (usage: number | undefined) => usage ?? 0;
        const most = Math.max(...usages.map(share));
        expect(nearest(results)).toBe(results[usages.findIndex((usage) => share(usage) === most)]);
      }),
      { seed: fcSeed },
    );
  });

  it('a usage that is no number counts as none, and without any nothing is wrong', () => {
    const [text, some] = [used('0.9'), used(0.1)];
    expect(nearest([text, some])).toBe(some);
    expect(nearest([some, text])).toBe(some);
    expect(nearest([])).toBe(OK);
  });
});
