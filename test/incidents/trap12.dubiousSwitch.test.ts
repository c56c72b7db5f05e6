import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { envSource } from '../../src/killSwitch/envSource.js';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

/** The rule of the original: the first line, bytes that are no text left out, one of four words, and no error is an answer. */
function originalHalts(path: string): boolean {
  try {
    const text = readFileSync(path, 'utf8').replaceAll('\uFFFD', '');
    return saysTruth(text.split('\n')[0] ?? '');
  } catch {
    return false;
  }
}

// Python's strip() leaves a byte-order mark where it is.
const saysTruth = (value: string): boolean =>
  ['1', 'true', 'yes', 'on'].includes(value.replace(/^[\s\uFEFF]*|\s*$/g, (edge) => edge.replace(/[^\uFEFF]/g, '')).toLowerCase());

const utf16 = (text: string): Uint8Array => Buffer.from(`\uFEFF${text}`, 'utf16le');

const DUBIOUS: readonly (readonly [string, string | Uint8Array])[] = [
  ['an empty file, as a truncated one is', ''],
  ['white space alone', ' \n'],
  ['a byte-order mark before 1', '\uFEFF1'],
  ['UTF-16', utf16('1')],
  ['a blank first line', '\n1\n'],
  ['a trailing comment', '1 # stop everything'],
  ['y', 'y'],
  ['t', 't'],
  ['enabled', 'enabled'],
  ['halt', 'halt'],
  ['HALTED', 'HALTED'],
  ['2', '2'],
  ['a quoted "1"', '"1"'],
  ['a key and a value', 'EXECUTION_HALTED=1'],
  ['JSON', '{"halted":true}'],
];

/** Nothing of this is off either. The original traded on these as well, as on everything that is not one of its four words. */
const NOT_OFF: readonly (readonly [string, string | Uint8Array])[] = [
  ['a byte-order mark before 0', '\uFEFF0'],
  ['UTF-16 that says 0', utf16('0')],
  ['two lines', '0\n1'],
  ['0 with a comment', '0 # for now'],
  ['a quoted "0"', '"0"'],
  ['0.0', '0.0'],
  ['00', '00'],
  ['-0', '-0'],
  ['n', 'n'],
  ['disabled', 'disabled'],
  ['null', 'null'],
  ['0 behind a space of another script', '\u00A00'],
  ['0 and a NUL', '0\0'],
];

describe('trap 12: a switch that says something else than the words that it knows', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory, 'halted');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function halts(): Promise<boolean> {
    const killSwitch = createKillSwitch({ sources: [fileSource(path)] });
    await killSwitch.ready;
    const { halted, reason } = killSwitch.state();
    await killSwitch.close();
    if (halted) expect(reason).toMatch(/^file:.+ (is|says|begins|cannot be read)\b/);
    return halted;
  }

  it.each(DUBIOUS)('trap 12: S3: %s in a file halts, where the original traded', async (_name, content) => {
    writeFileSync(path, content);
    expect([originalHalts(path), await halts()]).toEqual([false, true]);
  });

  it.each(NOT_OFF)('trap 12: S3: %s in a file is not off', async (_name, content) => {
    writeFileSync(path, content);
    expect([originalHalts(path), await halts()]).toEqual([false, true]);
  });

  it('trap 12: S3: a missing file and a directory halt, where the original traded', async () => {
    expect([originalHalts(path), await halts()]).toEqual([false, true]);
    mkdirSync(path);
    expect([originalHalts(path), await halts()]).toEqual([false, true]);
  });

  it('trap 12: what the original understood means the same here', async () => {
    for (const [content, expected] of [
      ['1', true],
      [' TRUE\n', true],
      ['yes', true],
      ['On', true],
      ['0', false],
      ['false\n', false],
      ['no', false],
      [' OFF ', false],
    ] as const) {
      writeFileSync(path, content);
      expect([content, originalHalts(path), await halts()]).toEqual([content, expected, expected]);
    }
  });

  it.each(
    [...DUBIOUS, ...NOT_OFF].flatMap(([name, content]) =>
      typeof content === 'string' && !content.includes('\0') ? [[name, content] as const] : [],
    ),
  )('trap 12: S3: %s in a variable or an answer halts as well', async (_name, content) => {
    const before = process.env['EXECUTION_HALTED'];
    process.env['EXECUTION_HALTED'] = content;
    try {
      const variable = createKillSwitch({ sources: [envSource()], allowStatic: true });
      const answer = createKillSwitch({ sources: [functionSource(() => content)] });
      await Promise.all([variable.ready, answer.ready]);
      expect([variable.isHalted(), answer.isHalted()]).toEqual([true, true]);
      await Promise.all([variable.close(), answer.close()]);
    } finally {
      if (before === undefined) delete process.env['EXECUTION_HALTED'];
      else process.env['EXECUTION_HALTED'] = before;
    }
  });
});
