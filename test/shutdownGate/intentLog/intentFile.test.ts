/** One intent on disk: what is read back is what was written, or nothing. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fileNameOf,
  type Intent,
  type IntentOutcome,
  intentLine,
  outcomeLine,
  parseIntentFile,
} from '../../../src/shutdownGate/intentLog/intentFile.js';
import { FC_SEED } from '../support.js';

const INTENT: Intent = {
  clientOrderId: 'a-1',
  symbol: '',
  label: 'order',
  intent: 'increase',
  writtenMs: 1.5,
  bootId: 'b',
  sendWithinMs: 2_000,
  wallMs: 1_767_225_600_000,
  pid: 7,
};
const ACKNOWLEDGED: IntentOutcome = { outcome: 'acknowledged', by: 'guard', wallMs: 1 };

const TEXT = fc.string({ unit: 'binary', maxLength: 12 });

const signed = (json: string): string => `${createHash('sha256').update(json).digest('hex').slice(0, 40)} ${json}\n`;
const lineOf = (value: unknown): string => signed(JSON.stringify(value));

describe('the first line', () => {
  it('gives back what was written, whatever its texts hold', () => {
    const intents = fc.record({ ...mapped(INTENT), clientOrderId: fc.string(), symbol: fc.string(), label: TEXT });
    fc.assert(
      fc.property(intents, (intent) => {
        expect(parseIntentFile(intentLine(intent))).toEqual({ kind: 'intent', intent, outcome: undefined });
      }),
      { seed: FC_SEED, numRuns: 30 },
    );
  });

  it.each(['clientOrderId', 'symbol', 'label', 'intent', 'bootId', 'writtenMs', 'wallMs', 'pid'] as const)(
    'S3: is no intent without %s, or with another kind of it',
    (field) => {
      const { [field]: right, ...without } = { version: 1, ...INTENT };
      expect(parseIntentFile(lineOf({ ...without, [field]: right }))).toMatchObject({ kind: 'intent' });
      for (const wrong of [without, { ...without, [field]: null }, { ...without, [field]: typeof right === 'string' ? 7 : '7' }])
        expect(parseIntentFile(lineOf(wrong))).toEqual({ kind: 'corrupt' });
    },
  );

  it('S3: the time within which it may be sent may be left out, and is else a number', () => {
    const { sendWithinMs: _, ...older } = INTENT;
    expect(parseIntentFile(lineOf({ version: 1, ...older }))).toEqual({
      kind: 'intent',
      intent: { ...older, sendWithinMs: undefined },
      outcome: undefined,
    });
    expect(parseIntentFile(lineOf({ version: 1, ...INTENT, sendWithinMs: '2000' }))).toEqual({ kind: 'corrupt' });
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['another version', lineOf({ ...INTENT, version: 2 })],
    ['no version', lineOf(INTENT)],
    ['null', lineOf(null)],
    ['a number', lineOf(1)],
    ['a text', lineOf('text')],
    ['another checksum', intentLine(INTENT).replace(/^./, (first) => (first === '0' ? '1' : '0'))],
    ['something before it', ` ${intentLine(INTENT)}`],
    ['a line before it', `\n${intentLine(INTENT)}`],
    ['something after it', intentLine(INTENT).replace('\n', ' \n')],
    ['a carriage return', intentLine(INTENT).replace('\n', '\r\n')],
    ['half of it', intentLine(INTENT).slice(0, 60)],
  ])('S3: %s is no intent', (_what, text) => {
    expect(parseIntentFile(text)).toEqual({ kind: 'corrupt' });
  });
});

describe('the lines after it', () => {
  const outcomeOf = (...lines: readonly string[]) => {
    const record = parseIntentFile(intentLine(INTENT) + lines.join(''));
    return record.kind === 'intent' ? record.outcome?.outcome : record.kind;
  };

  it('the last outcome that is known counts', () => {
    const lines = (['acknowledged', 'refused', 'unknown'] as const).map((outcome) => outcomeLine({ ...ACKNOWLEDGED, outcome }));
    expect(outcomeOf(...lines)).toBe('refused');
    expect(outcomeOf(...lines.toReversed())).toBe('acknowledged');
    expect(outcomeOf(...lines.slice(2))).toBeUndefined();
    expect(parseIntentFile(intentLine(INTENT) + outcomeLine(ACKNOWLEDGED))).toMatchObject({ outcome: ACKNOWLEDGED });
  });

  it.each<[string, string]>([
    ['a word that is no outcome', lineOf({ ...ACKNOWLEDGED, outcome: 'filled' })],
    ['nobody who found out', lineOf({ outcome: 'acknowledged', wallMs: 1 })],
    ['half a line', outcomeLine(ACKNOWLEDGED).slice(0, -9)],
    ['no object', lineOf(null)],
  ])('S3: %s is no outcome, and hides none', (_what, line) => {
    expect(outcomeOf(line)).toBeUndefined();
    expect(outcomeOf(outcomeLine(ACKNOWLEDGED), '\n', line)).toBe('acknowledged');
    expect(outcomeOf(line, outcomeLine(ACKNOWLEDGED))).toBe('acknowledged');
  });
});

describe('its name', () => {
  it('is short, of few characters, and another for each id', () => {
    fc.assert(
      fc.property(fc.uniqueArray(TEXT, { minLength: 2, maxLength: 2 }), ([first = '', second = '']) => {
        expect(fileNameOf(first)).toMatch(/^[0-9a-f]{40}\.intent$/);
        expect(fileNameOf(first)).not.toBe(fileNameOf(second));
      }),
      { seed: FC_SEED },
    );
  });
});

function mapped<T extends object>(value: T): { [Field in keyof T]: fc.Arbitrary<T[Field]> } {
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, fc.constant(one as unknown)])) as never;
}
