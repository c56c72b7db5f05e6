import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HALTED_TOKENS, OFF_TOKENS, parseWord } from '../../src/killSwitch/parse.js';
import { fcSeed } from '../support/seed.js';

const SPACE = ['\t', '\n', '\f', '\r', ' '];
const anyCase = (token: string) =>
  fc
    .array(fc.boolean(), { minLength: token.length, maxLength: token.length })
    .map((upper) => [...token].map((letter, index) => (upper[index] === true ? letter.toUpperCase() : letter)).join(''));
const padding = fc.array(fc.constantFrom(...SPACE), { maxLength: 4 }).map((parts) => parts.join(''));
const padded = (tokens: readonly string[]) =>
  fc.tuple(padding, fc.constantFrom(...tokens).chain(anyCase), padding).map((parts) => parts.join(''));

/** The rule as one expression, apart from the code. */
const IS_OFF = /^[\t\n\f\r ]*(?:0|[fF][aA][lL][sS][eE]|[nN][oO]|[oO][fF][fF])[\t\n\f\r ]*$/;

describe('a text', () => {
  it('has exactly these tokens', () => {
    expect([OFF_TOKENS, HALTED_TOKENS]).toEqual([
      ['0', 'false', 'no', 'off'],
      ['1', 'true', 'yes', 'on'],
    ]);
  });

  it('S3: is off as one whole token, in any case, with ASCII white space around it', () => {
    fc.assert(
      fc.property(padded(OFF_TOKENS), (text) => {
        expect(parseWord(text)).toEqual({ says: 'off' });
      }),
      { seed: fcSeed, numRuns: 500 },
    );
  });

  it('halts without a doubt as one of the truthy tokens of the original', () => {
    fc.assert(
      fc.property(padded(HALTED_TOKENS), (text) => {
        expect(parseWord(text)).toEqual({ says: 'halted', reason: `says ${JSON.stringify(text.replace(/^\s+|\s+$/g, ''))}` });
      }),
      { seed: fcSeed, numRuns: 500 },
    );
  });

  it('S3: is off for nothing else, however close it comes', () => {
    const near = fc
      .tuple(
        fc.constantFrom(...OFF_TOKENS),
        fc.nat(6),
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\uFEFF', '\u00A0', '\v', '\0', '#', '"')),
      )
      .map(([token, at, more]) => token.slice(0, at) + more + token.slice(at));
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ unit: 'binary' }), fc.string(), padded(OFF_TOKENS)), (text) => {
        expect(parseWord(text).says === 'off').toBe(IS_OFF.test(text));
      }),
      { seed: fcSeed, numRuns: 3_000 },
    );
  });

  it.each([
    ['', 'is empty'],
    [' \n\t\f\r', 'is blank'],
    ['\uFEFF0', 'begins with a byte-order mark'],
    ['\uFEFF', 'begins with a byte-order mark'],
    ['0\uFEFF', 'says "0\uFEFF", which is not one of 0, false, no, off'],
    ['maybe', 'says "maybe", which is not one of 0, false, no, off'],
    [' enabled ', 'says "enabled", which is not one of 0, false, no, off'],
    ['12345678901234567890', 'says "12345678901234567890", which is not one of 0, false, no, off'],
    ['123456789012345678901', 'says "12345678901234567890…", which is not one of 0, false, no, off'],
    ['0\n1', 'says "0\\n1", which is not one of 0, false, no, off'],
    ['\v0', 'says "\\u000b0", which is not one of 0, false, no, off'],
    ['ＯＦＦ', 'says "ＯＦＦ", which is not one of 0, false, no, off'],
  ])('%j is doubt that says which: %s', (text, reason) => {
    expect(parseWord(text)).toEqual({ says: 'doubt', reason });
  });
});
