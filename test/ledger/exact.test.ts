/** Which figures a ledger takes, and which bound it names for those that it does not. */
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { decimalOf, type Sign, textOf } from '../../src/ledger/exact.js';

function read(value: unknown, sign: Sign = 'any'): string {
  try {
    return textOf(decimalOf('price', value, sign));
  } catch (error) {
    return error instanceof ConfigurationError ? error.bound : 'another error';
  }
}

const bound = (words: string) => `must be a finite number or decimal text ${words}, at most 1e18, with at most 30 decimal places`;

describe('a figure', () => {
  it('is a number or decimal text, with or without an exponent', () => {
    expect(
      ['1.50', '-0', '1e3', '1E+3', '12e-2', '1.5e-10', '7e018', '0.000000000000000000000000000001'].map((text) => read(text)),
    ).toEqual(['1.5', '0', '1000', '1000', '0.12', '0.00000000015', bound('of either sign'), '0.000000000000000000000000000001']);
    expect([1.5, 1e-7, 1e18, -1e18].map((value) => read(value))).toEqual([
      '1.5',
      '0.0000001',
      '1000000000000000000',
      '-1000000000000000000',
    ]);
    expect(read('1'.repeat(18))).toBe('1'.repeat(18));
    expect(read(`1${'0'.repeat(99)}`)).toBe(bound('of either sign'));
  });

  it('that is none is refused with its bound', () => {
    const texts = [
      '',
      'x',
      '1x',
      'x1',
      ' 1',
      '1 ',
      '+1',
      '.5',
      '5.',
      '1,5',
      '0x10',
      '1e',
      '1e1000',
      '1f3',
      '1e*3',
      'e3',
      'NaN',
      'Infinity',
    ];
    for (const value of [...texts, Number.NaN, Infinity, 1e19, '1000000000000000001', '1e-31', undefined, null, {}, 1n, true])
      expect(read(value)).toBe(bound('of either sign'));
    expect(read('1e-30')).toBe('0.000000000000000000000000000001');
    expect(read(`0.${'1'.repeat(200)}`)).toBe(bound('of either sign'));
  });

  it('is held to its sign', () => {
    expect(['1', '0', '-1'].map((text) => read(text, 'positive'))).toEqual(['1', bound('above 0'), bound('above 0')]);
    expect(['1', '0', '-1'].map((text) => read(text, 'not_negative'))).toEqual(['1', '0', bound('of at least 0')]);
    expect(['1', '0', '-1'].map((text) => read(text, 'any'))).toEqual(['1', '0', '-1']);
  });
});
