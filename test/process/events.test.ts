/** The one place that listens to the process, on the process of the test itself, with its ends replaced. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { codeOfSignal, forgiveOutput, systemProcess } from '../../src/process/events.js';

function withPid(pid: number): void {
  vi.spyOn(process, 'pid', 'get').mockReturnValue(pid);
}

describe('the end by a signal', () => {
  const own = process.pid;
  const kept = process.listeners('SIGHUP');
  let kill: MockInstance<typeof process.kill>;
  let exit: MockInstance<typeof process.exit>;

  beforeEach(() => {
    vi.useFakeTimers();
    kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    for (const listener of kept) process.on('SIGHUP', listener);
  });

  it('takes away who else listens, raises the signal, and exits with its code where that did not end it', () => {
    process.on('SIGHUP', () => undefined);
    systemProcess.endBySignal('SIGHUP');
    expect([kill.mock.calls, process.listenerCount('SIGHUP'), exit.mock.calls]).toEqual([[[own, 'SIGHUP']], 0, []]);
    vi.advanceTimersByTime(99);
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(exit.mock.calls).toEqual([[129]]);
  });

  it('is an exit with its code for the first process of a container', () => {
    withPid(1);
    systemProcess.endBySignal('SIGTERM');
    expect(exit.mock.calls[0]).toEqual([143]);
  });

  it('has a code for each signal, also for one that this system does not know', () => {
    expect([codeOfSignal('SIGINT'), codeOfSignal('SIGTERM'), codeOfSignal('SIGHUP')]).toEqual([130, 143, 129]);
    if (process.platform !== 'win32') expect(codeOfSignal('SIGBREAK')).toBe(128);
  });

  it('an exit without a code is with the one that the program has set, or 0', () => {
    const before = process.exitCode;
    process.exitCode = undefined;
    systemProcess.exit(undefined);
    process.exitCode = 7;
    systemProcess.exit(undefined);
    systemProcess.exit(1);
    process.exitCode = before;
    expect(exit.mock.calls).toEqual([[0], [7], [1]]);
  });
});

describe('listening', () => {
  it('is given back, and others stay', () => {
    const heard: unknown[] = [];
    const names = ['SIGHUP', 'uncaughtException', 'unhandledRejection', 'exit'] as const;
    const before = names.map((name) => process.listenerCount(name));
    const offs = [
      systemProcess.onSignal('SIGHUP', () => heard.push('signal')),
      systemProcess.onFault('uncaughtException', (thrown) => heard.push(thrown)),
      systemProcess.onFault('unhandledRejection', (thrown) => heard.push(thrown)),
      systemProcess.onExit(() => undefined),
    ];
    expect(names.map((name) => process.listenerCount(name))).toEqual(before.map((count) => count + 1));
    expect(systemProcess.listenersOf('SIGHUP')).toBe((before[0] ?? 0) + 1);
    process.listeners('SIGHUP')[0]?.('SIGHUP');
    process.listeners('uncaughtException').at(-1)?.(new Error('x'), 'uncaughtException');
    expect(heard).toEqual(['signal', new Error('x')]);
    for (const off of offs) off();
    expect(names.map((name) => process.listenerCount(name))).toEqual(before);
  });

  it('at the exit may better the code, and leaves it alone otherwise', () => {
    const before = process.exitCode;
    process.exitCode = 5;
    const codes: number[] = [];
    const offs = [
      systemProcess.onExit((code) => {
        codes.push(code);
        return undefined;
      }),
    ];
    process.listeners('exit').at(-1)?.(0);
    expect(process.exitCode).toBe(5);
    offs.push(systemProcess.onExit((code) => code + 1));
    process.listeners('exit').at(-1)?.(8);
    expect([process.exitCode, codes]).toEqual([9, [0]]);
    for (const off of offs) off();
    process.exitCode = before;
  });
});

describe('the output', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is forgiven once, however often that is asked for', () => {
    forgiveOutput();
    const counts = [process.stdout, process.stderr].map((stream) => stream.listenerCount('error'));
    forgiveOutput();
    expect([process.stdout, process.stderr].map((stream) => stream.listenerCount('error'))).toEqual(counts);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const say = (): void => {
      for (const listener of process.stdout.listeners('error')) Reflect.apply(listener, process.stdout, [new Error('EPIPE')]);
    };
    expect(say).not.toThrow();
  });

  it('takes a line on standard error at once, and S13: no reader, or one that is gone, is no failure', () => {
    const written: unknown[] = [];
    const write = vi.spyOn(fs, 'writeSync').mockImplementation((fd: number, text: unknown) => written.push([fd, text]));
    syncBuiltinESMExports();
    systemProcess.tell('failflat: one');
    write.mockImplementation(() => {
      throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
    });
    expect(() => systemProcess.tell('failflat: two')).not.toThrow();
    vi.restoreAllMocks();
    syncBuiltinESMExports();
    expect(written).toEqual([[2, 'failflat: one\n']]);
  });

  it('that waits is counted; where there is none any more nothing waits, and nothing fails', () => {
    vi.spyOn(process.stdout, 'writableLength', 'get').mockReturnValue(3);
    vi.spyOn(process.stderr, 'writableLength', 'get').mockReturnValue(4);
    expect(systemProcess.unwrittenBytes()).toBe(7);
    vi.spyOn(process, 'stdout', 'get').mockImplementation(() => {
      throw new Error('EBADF');
    });
    expect(systemProcess.unwrittenBytes()).toBe(0);
    expect(() => systemProcess.forgiveOutput()).not.toThrow();
  });
});
