/** What a process says, on the outputs of the test itself, and how it ends, with its ends replaced. */
import fs from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EXIT_CODES, exitNow, failByDefault, setExitCode } from '../../src/process/exit.js';
import { createLog, readableLine } from '../../src/process/log.js';
import { systemOutput } from '../../src/process/output.js';
import { eventually } from '../support/eventually.js';

afterEach(() => vi.restoreAllMocks());

function written(stream: NodeJS.WriteStream): string[] {
  const chunks: string[] = [];
  vi.spyOn(stream, 'write').mockImplementation((chunk) => {
    chunks.push(String(chunk));
    return true;
  });
  return chunks;
}

function asTerminal(stream: NodeJS.WriteStream, isTTY: boolean): () => void {
  const before = Object.getOwnPropertyDescriptor(stream, 'isTTY');
  Object.defineProperty(stream, 'isTTY', { value: isTTY, configurable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(stream, 'isTTY');
    else Object.defineProperty(stream, 'isTTY', before);
  };
}

describe('the output', () => {
  it('is one line each, where it belongs', () => {
    const [out, err] = [written(process.stdout), written(process.stderr)];
    const output = systemOutput(undefined);
    output.out('result');
    output.err('warning');
    vi.restoreAllMocks();
    expect([out, err]).toEqual([['result\n'], ['warning\n']]);
  });

  it('has colours on a terminal that does not forbid them, and nowhere else', () => {
    for (const [isTTY, noColour, expected] of [
      [true, undefined, true],
      [true, '', true],
      [true, '1', false],
      [false, undefined, false],
      [false, '', false],
    ] as const) {
      const takeBack = asTerminal(process.stdout, isTTY);
      expect(systemOutput(noColour).colours).toBe(expected);
      takeBack();
    }
  });
});

describe('the log', () => {
  it('for a person is a line with the time, the level, who says it, what, and the details', () => {
    const line = (record: object) => readableLine(JSON.stringify(record));
    const time = Date.UTC(2015, 7, 24, 9, 30, 15, 42);
    const common = { time, pid: 7, hostname: 'h', name: 'watchdog', msg: 'it beats' };
    expect(line({ ...common, level: 30, beats: 3, from: 'a b' })).toBe('09:30:15.042 info  watchdog: it beats beats=3 from=a b\n');
    expect(line({ ...common, level: 20 })).toBe('09:30:15.042 debug watchdog: it beats\n');
    expect(line({ ...common, level: 40, list: [1] })).toBe('09:30:15.042 WARN  watchdog: it beats list=[1]\n');
    expect(line({ ...common, level: 50 })).toBe('09:30:15.042 ERROR watchdog: it beats\n');
    expect(line({ ...common, level: 35, time: 'now' })).toBe('  watchdog: it beats\n');
    const forged = 'halted\n09:30 INFO all is well\u001b[2J\u009b2J';
    const shown = 'halted\\u000a09:30 INFO all is well\\u001b[2J\\u009b2J';
    expect(line({ ...common, level: 50, msg: forged, reason: forged })).toBe(`09:30:15.042 ERROR watchdog: ${shown} reason=${shown}\n`);
    expect(readableLine('null')).toBe('  undefined: undefined\n');
    for (const json of ['5', '"text"']) expect(readableLine(json)).toBe('  undefined: undefined\n');
  });

  it('on a terminal is readable, with what is below its level left out', async () => {
    const takeBack = asTerminal(process.stderr, true);
    const lines = written(process.stderr);
    const log = await createLog({ level: 'info', name: 'role' });
    log.debug({ a: 1 }, 'one');
    log.info({ a: 1 }, 'two');
    log.warn({ a: 2 }, 'three');
    log.error({ a: 3 }, 'four');
    const verbose = await createLog({ level: 'debug', name: 'role' });
    verbose.debug({ a: 0 }, 'five');
    vi.restoreAllMocks();
    takeBack();
    expect(lines.map((line) => line.slice(13))).toEqual([
      'info  role: two a=1\n',
      'WARN  role: three a=2\n',
      'ERROR role: four a=3\n',
      'debug role: five a=0\n',
    ]);
  });
});

describe('the log elsewhere', () => {
  /** What would be written without waiting, with a descriptor that answers at once. */
  function descriptor(error: Error | null): { readonly fd: number; readonly text: string }[] {
    const chunks: { readonly fd: number; readonly text: string }[] = [];
    vi.spyOn(fs, 'write').mockImplementation(((fd: number, text: string, done: (error: Error | null, written: number) => void) => {
      chunks.push({ fd, text });
      done(error, text.length);
    }) as never);
    return chunks;
  }

  it('is one line of JSON each on standard error, which nobody waits for', async () => {
    const takeBack = asTerminal(process.stderr, false);
    const chunks = descriptor(null);
    const log = await createLog({ level: 'info', name: 'role' });
    log.debug({ a: 1 }, 'one');
    log.info({ a: 1 }, 'two');
    log.error({ a: 2 }, 'three');
    await eventually(() => chunks.length >= 2);
    takeBack();
    expect(new Set(chunks.map(({ fd }) => fd))).toEqual(new Set([2]));
    const lines = chunks.flatMap(({ text }) => text.trim().split('\n'));
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 30, name: 'role', a: 1, msg: 'two' },
      { level: 50, name: 'role', a: 2, msg: 'three' },
    ]);
  });

  it('S13: whose reader has gone ends nothing', async () => {
    const takeBack = asTerminal(process.stderr, false);
    const chunks = descriptor(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }));
    const log = await createLog({ level: 'info', name: 'role' });
    expect(() => log.info({}, 'nobody reads')).not.toThrow();
    await eventually(() => chunks.length > 0);
    takeBack();
  });
});

describe('the end', () => {
  it('is a failure until something better is said, and at once where nobody caught what was thrown', () => {
    const before = process.exitCode;
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
    let captured: ((thrown: Error) => void) | null = null;
    vi.spyOn(process, 'setUncaughtExceptionCaptureCallback').mockImplementation((callback) => {
      captured = callback;
    });
    const reported: unknown[] = [];
    failByDefault((thrown) => {
      reported.push(thrown, exit.mock.calls.length);
    });
    const byDefault = process.exitCode;
    setExitCode(EXIT_CODES.ok);
    const better = process.exitCode;
    const thrown = new Error('x');
    (captured as ((error: Error) => void) | null)?.(thrown);
    exitNow(7);
    process.exitCode = before;
    expect([byDefault, better, reported, exit.mock.calls]).toEqual([3, 0, [thrown, 0], [[3], [7]]]);
    expect(EXIT_CODES).toEqual({ ok: 0, red: 1, usage: 2, couldNotRun: 3 });
  });
});
