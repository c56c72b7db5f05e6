/** The public functions: one owner for all copies in the process, nothing process-wide before somebody asks. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { type ProcessEvents, systemProcess } from '../../src/process/events.js';
import { runUntilShutdown } from '../../src/process/runUntilShutdown.js';
import { handleSignals, onShutdown, resetProcessShutdown } from '../../src/process/shutdown.js';
import { requestShutdown, resetProcessGate, shutdownGate } from '../../src/shutdownGate/processGate.js';
import { settled } from '../shutdownGate/support.js';

const KEY = Symbol.for('failflat.process.v1');
const HEARD = ['SIGTERM', 'SIGINT', 'SIGHUP', 'exit', 'uncaughtException', 'unhandledRejection'] as const;
const listeners = (): number[] => HEARD.map((name) => process.listenerCount(name));

beforeEach(() => {
  resetProcessShutdown();
  // Only the main thread hears signals; who listens can be told in any.
  vi.spyOn(process.getBuiltinModule('node:worker_threads'), 'isMainThread', 'get').mockReturnValue(true);
});
afterEach(() => {
  resetProcessShutdown();
  vi.restoreAllMocks();
});

describe('nothing process-wide unless asked', () => {
  it('hooks and loops listen to nothing', () => {
    const before = listeners();
    const hook = onShutdown(() => undefined);
    expect(listeners()).toEqual(before);
    hook.unregister();
  });

  it('handling signals listens to those that were asked for, and gives them back', () => {
    const before = listeners();
    const handling = handleSignals({ signals: ['SIGHUP'], unhandledRejection: true });
    expect(listeners().map((count, index) => count - (before[index] ?? 0))).toEqual([0, 0, 1, 1, 0, 1]);
    expect(handling.phase).toBe('running');
    handling.close();
    expect(listeners()).toEqual(before);
    handleSignals()[Symbol.dispose]();
    expect(listeners()).toEqual(before);
  });

  it('comes before the listeners of others', () => {
    const other = (): void => undefined;
    process.on('SIGHUP', other);
    const handling = handleSignals({ signals: ['SIGHUP'] });
    expect(process.listeners('SIGHUP').indexOf(other)).toBe(1);
    handling.close();
    process.removeListener('SIGHUP', other);
  });
});

describe('a reset', () => {
  it('gives the signals back, and forgets the hooks', async () => {
    const before = listeners();
    const seen: string[] = [];
    onShutdown(() => seen.push('forgotten'));
    handleSignals({ signals: ['SIGHUP'] });
    expect(listeners()).not.toEqual(before);
    resetProcessShutdown();
    expect(listeners()).toEqual(before);
    requestShutdown('enough');
    await settled();
    expect(seen).toEqual([]);
  });
});

describe('hooks of the process', () => {
  it('run when the program requests the shutdown, unless they were unregistered', async () => {
    const seen: string[] = [];
    onShutdown(({ reason }) => seen.push(`first: ${reason}`));
    const gone = onShutdown(() => seen.push('gone'));
    const disposed = onShutdown(() => seen.push('disposed'), { name: 'x', timeoutMs: 10 });
    gone.unregister();
    disposed[Symbol.dispose]();
    requestShutdown('enough');
    await settled();
    expect(seen).toEqual(['first: enough']);
    onShutdown(() => seen.push('late'));
    await vi.waitFor(() => expect(seen).toEqual(['first: enough', 'late']));
  });

  it('S1: a copy of failflat that is installed twice shares the owner', async () => {
    const seen: string[] = [];
    onShutdown(() => seen.push('ours'));
    vi.resetModules();
    const copy = await import('../../src/process/shutdown.js');
    expect(copy.onShutdown).not.toBe(onShutdown);
    copy.onShutdown(() => seen.push('theirs'));
    const before = process.listenerCount('SIGHUP');
    const handling = handleSignals({ signals: ['SIGHUP'] });
    const second = copy.handleSignals({ signals: ['SIGHUP'] });
    expect(process.listenerCount('SIGHUP')).toBe(before + 1);
    handling.close();
    second.close();
    requestShutdown('enough');
    await settled();
    expect([seen, second.phase]).toEqual([['theirs', 'ours'], 'ended']);
  });
});

describe('S3: an owner that is not understood', () => {
  const refused = (field: string): unknown => expect.objectContaining({ name: ConfigurationError.name, field });

  it('is not worked around by a second one', () => {
    onShutdown(() => undefined);
    const slot: unknown = Reflect.get(globalThis, KEY);
    Object.assign(slot as object, { shutdown: { version: 2 } });
    expect(() => handleSignals()).toThrow(refused('handleSignals'));
    expect(() => runUntilShutdown(() => undefined)).toThrow(
      'runUntilShutdown = "another copy of failflat in this process": must speak protocol version 1',
    );
    expect(() => onShutdown(() => undefined)).toThrow(refused('onShutdown'));
    for (const shutdown of [null, 1, {}]) {
      Object.assign(slot as object, { shutdown: shutdown ?? { none: true } });
      expect(() => onShutdown(() => undefined)).toThrow(refused('onShutdown'));
    }
  });

  it('nor is a copy that speaks another version altogether', () => {
    Reflect.deleteProperty(globalThis, KEY);
    resetProcessGate();
    Object.defineProperty(globalThis, KEY, { value: { version: 2 }, configurable: true });
    expect(() => handleSignals()).toThrow(refused('handleSignals'));
    expect(shutdownGate.requested).toBe(true);
    Reflect.deleteProperty(globalThis, KEY);
    resetProcessGate();
    onShutdown(() => undefined).unregister();
  });
});

describe('wrong use', () => {
  it.each([
    ['drainTimeoutMs', { drainTimeoutMs: -1 }],
    ['forceAfterMs', { forceAfterMs: 8_000 }],
    ['forceAfterMs', { drainTimeoutMs: 500, forceAfterMs: 500 }],
    ['forceAfterMs', { drainTimeoutMs: 12_000 }],
    ['deadWindowMs', { deadWindowMs: Number.NaN }],
    ['signals', { signals: [] }],
    ['signals', { signals: 'SIGTERM' }],
    ['signals[1]', { signals: ['SIGTERM', 'SIGKILL'] }],
    ['uncaughtException', { uncaughtException: 'yes' }],
    ['unhandledRejection', { unhandledRejection: 1 }],
    ['gates', { gates: {} }],
    ['gates[0]', { gates: [{ protocol: { version: 2 } }] }],
    ['drainTimeout', { drainTimeout: 1 }],
    ['options', null],
  ])('handleSignals names %s (%#)', (field, options) => {
    const before = listeners();
    expect(() => handleSignals(options as never)).toThrow(expect.objectContaining({ name: ConfigurationError.name, field }));
    expect(listeners()).toEqual(before);
  });

  it.each([
    ['hook', undefined, {}],
    ['name', () => 1, { name: '' }],
    ['timeoutMs', () => 1, { timeoutMs: 0 }],
    ['timeout', () => 1, { timeout: 1 }],
    ['options', () => 1, null],
  ])('onShutdown names %s (%#)', (field, hook, options) => {
    expect(() => onShutdown(hook as never, options as never)).toThrow(expect.objectContaining({ name: ConfigurationError.name, field }));
  });

  it.each<[string, () => unknown]>([
    ['drainTimeoutMs = 2147483648: must be a finite number between 0 and 2147483647', () => handleSignals({ drainTimeoutMs: 2 ** 31 })],
    ['forceAfterMs = 2147483648: must be a finite number between 0 and 2147483647', () => handleSignals({ forceAfterMs: 2 ** 31 })],
    [
      'forceAfterMs = 8000: must be more than drainTimeoutMs (8000): the hooks come after the drain',
      () => handleSignals({ forceAfterMs: 8_000 }),
    ],
    ['options = null: must be an object', () => handleSignals(null as never)],
    [
      'signal = "SIGHUP": is not an option: one of drainTimeoutMs, forceAfterMs, deadWindowMs, uncaughtException, unhandledRejection, ' +
        'allowShortDrain, signals, gates, logger',
      () => handleSignals({ signal: 'SIGHUP' } as never),
    ],
    ['gates = an object: must be a list of shutdown gates', () => handleSignals({ gates: {} as never })],
    ['uncaughtException = "yes": must be true or false', () => handleSignals({ uncaughtException: 'yes' as never })],
    ['hook = undefined: must be a function', () => onShutdown(undefined as never)],
    ['signals = []: must be a list of signals that is not empty', () => handleSignals({ signals: [] })],
    ['timeoutMs = 2147483648: must be a finite number between 1 and 2147483647', () => onShutdown(() => undefined, { timeoutMs: 2 ** 31 })],
  ])('says field, value and bound: %s', (message, call) => {
    expect(call).toThrow(expect.objectContaining({ name: ConfigurationError.name, message }));
  });

  it('handleSignals is refused where no signals are heard', () => {
    vi.spyOn(systemProcess as { hearsSignals: boolean } & ProcessEvents, 'hearsSignals', 'get').mockReturnValue(false);
    expect(() => handleSignals()).toThrow('handleSignals = "a worker thread": must be called on the main thread');
  });
});
