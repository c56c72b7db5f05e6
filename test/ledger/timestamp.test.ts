/** When a fill happened, however it is written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { timestampMs } from '../../src/ledger/timestamp.js';
import { fcSeed } from '../support/seed.js';

const FIRST_MS = Date.UTC(2000, 0, 1);
const LAST_MS = Date.UTC(2100, 0, 1);
const two = (value: number) => String(value).padStart(2, '0');

function refused(value: unknown): string {
  try {
    return String(timestampMs('time', value));
  } catch (error) {
    return error instanceof ConfigurationError ? error.bound : 'another error';
  }
}

const BOUND =
  'must be ISO 8601 text with a time and a zone, epoch seconds or epoch milliseconds, between 2000-01-01 and 2100-01-01: ' +
  'anything else could be read in two ways';

describe('a time', () => {
  it('of ISO 8601 is read to the millisecond in any zone', () => {
    const times = fc.record({
      atMs: fc.integer({ min: FIRST_MS + 86_400_000, max: LAST_MS - 86_400_000 }),
      offset: fc.option(fc.integer({ min: -(23 * 60 + 59), max: 23 * 60 + 59 }), { nil: undefined }),
      colon: fc.constantFrom(':', ''),
      letter: fc.constantFrom('T', 't', ' '),
      finer: fc.stringMatching(/^\d{0,6}$/),
    });
    fc.assert(
      fc.property(times, ({ atMs, offset, colon, letter, finer }) => {
        const [day, time] = new Date(atMs + (offset ?? 0) * 60_000).toISOString().slice(0, -1).split('T');
        const size = Math.abs(offset ?? 0);
        const zone = offset === undefined ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`;
        expect(timestampMs('time', `${day}${letter}${time}${finer}${zone}`)).toBe(atMs);
      }),
      { seed: fcSeed, numRuns: 300 },
    );
    const second = Date.UTC(2024, 1, 29, 23, 59, 59);
    expect(timestampMs('time', '2024-02-29T23:59:59z')).toBe(second);
    expect(timestampMs('time', '2024-02-29T23:59:59.5Z')).toBe(second + 500);
    expect(timestampMs('time', '2024-02-29T23:59:59.123456789Z')).toBe(second + 123);
  });

  it('that is an epoch number is one of seconds or of milliseconds, as a number or as text', () => {
    expect([FIRST_MS, LAST_MS, 1_700_000_000_123.9].map((value) => timestampMs('time', value))).toEqual([
      FIRST_MS,
      LAST_MS,
      1_700_000_000_123,
    ]);
    expect([FIRST_MS / 1_000, LAST_MS / 1_000, 1_700_000_000.25].map((value) => timestampMs('time', value))).toEqual([
      FIRST_MS,
      LAST_MS,
      1_700_000_000_250,
    ]);
    expect(['1700000000', '1700000000123', '1700000000.123456', '1700000000123.5'].map((text) => timestampMs('time', text))).toEqual([
      1_700_000_000_000, 1_700_000_000_123, 1_700_000_000_123, 1_700_000_000_123,
    ]);
  });

  it('that is anything else is refused', () => {
    const numbers = [FIRST_MS - 1, LAST_MS + 1, FIRST_MS / 1_000 - 1, LAST_MS / 1_000 + 1, 0, -1, 1e17, Number.NaN, Infinity];
    const texts = [
      '2024-02-30T00:00:00Z',
      '2023-02-29T00:00:00Z',
      '2024-13-01T00:00:00Z',
      '2024-00-01T00:00:00Z',
      '2024-01-00T00:00:00Z',
      '2024-01-01T24:00:00Z',
      '2024-01-01T00:60:00Z',
      '2024-01-01T00:00:60Z',
      '2024-01-01T00:00:00+24:00',
      '2024-01-01T00:00:00+00:60',
      '2024-01-01T00:00:00',
      '2024-01-01T00:00:00.Z',
      '2024-01-01T00:00:00.1234567890Z',
      '2024-01-01T00:00:00+1:00',
      '2024-01-01T00:00:00+01:0',
      '2024-01-01T00:00:00*01:00',
      '2024-01-01',
      'x2024-01-01T00:00:00Z',
      '2024-01-01T00:00:00Zx',
      '1999-12-31T23:59:59.999Z',
      '2100-01-01T00:00:00.001Z',
      'x1700000000',
      '1700000000x',
      '1700000000.',
      '-1700000000',
      '',
    ];
    for (const value of [...numbers, ...texts, undefined, null, {}, new Date()]) expect(refused(value)).toBe(BOUND);
    expect(() => timestampMs('fill.time', 'soon')).toThrow('fill.time');
    for (const text of ['2024-01-01T23:59:59+23:59', '2024-01-01T00:00:00-23:59']) expect(Number(refused(text))).toBeGreaterThan(0);
  });
});
