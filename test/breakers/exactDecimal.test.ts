/** Sums without rounding, against a library of decimal numbers. */
import { BigNumber } from 'bignumber.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Exact, exactOf, exactOfNumber, isAtLeast, NOTHING, negated, plus, textOf } from '../../src/breakers/exactDecimal.js';
import { fcSeed } from '../support/seed.js';

const Decimal = BigNumber.clone({ EXPONENTIAL_AT: 1_000, DECIMAL_PLACES: 400 });

const decimals = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.option(fc.stringMatching(/^\d{1,30}$/), { nil: undefined }))
  .map(([isNegative, whole, fraction]) => `${isNegative ? '-' : ''}${whole}${fraction === undefined ? '' : `.${fraction}`}`);
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.1, 1e21, 1.5e21, -1.25e25, 1e-7, -1.5e-7, 1.25e-10, 1e300, 5e-324, 123456789012345680000),
);

function exact(text: string): Exact {
  const value = exactOf(text);
  if (value === undefined) throw new Error(`${text} is no number`);
  return value;
}

/** As the library writes it: zero has no sign. */
const written = (value: BigNumber): string => (value.isZero() ? '0' : value.toFixed());

describe('exact decimals', () => {
  it('are written as they were read, without zeros that say nothing', () => {
    fc.assert(
      fc.property(decimals, (text) => {
        expect(textOf(exact(text))).toBe(written(new Decimal(text)));
      }),
      { seed: fcSeed },
    );
    expect(['0', '-0', '0.000', '-0.10', '1200', '100.0010', '0.05', '-3'].map((text) => textOf(exact(text)))).toEqual([
      '0',
      '0',
      '0',
      '-0.1',
      '1200',
      '100.001',
      '0.05',
      '-3',
    ]);
    expect(textOf(NOTHING)).toBe('0');
  });

  it('add, turn and compare as the numbers that they stand for', () => {
    fc.assert(
      fc.property(decimals, decimals, (left, right) => {
        const [a, b] = [exact(left), exact(right)];
        const [x, y] = [new Decimal(left), new Decimal(right)];
        expect(textOf(plus(a, b))).toBe(written(x.plus(y)));
        expect(textOf(negated(a))).toBe(written(x.negated()));
        expect(isAtLeast(a, b)).toBe(x.gte(y));
        expect(isAtLeast(a, a)).toBe(true);
      }),
      { seed: fcSeed },
    );
    expect(isAtLeast(exact('1.00'), exact('1'))).toBe(true);
    expect(isAtLeast(exact('1'), exact('1.0001'))).toBe(false);
  });

  it('of a finite number are what people write for it', () => {
    fc.assert(
      fc.property(numbers, (value) => {
        expect(textOf(exactOfNumber(value))).toBe(written(new Decimal(String(value))));
        expect(exactOfNumber(value).places).toBeGreaterThanOrEqual(0);
      }),
      { seed: fcSeed, numRuns: 500 },
    );
    expect(textOf(plus(exactOfNumber(0.1), exactOfNumber(0.2)))).toBe('0.3');
  });

  it('are made of plain decimal text alone, of no more than 400 characters', () => {
    for (const text of ['', ' ', '1 ', ' 1', 'a1', '1a', '1.', '.5', '+1', '--1', '1e3', '1,5', '0x10', 'NaN', 'Infinity', '1.2.3'])
      expect(exactOf(text), text).toBeUndefined();
    expect(exactOf('1'.repeat(400))?.units).toBe(BigInt('1'.repeat(400)));
    expect(exactOf('1'.repeat(401))).toBeUndefined();
  });
});
