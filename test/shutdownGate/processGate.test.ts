import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import {
  processShutdownPart,
  requestShutdown,
  resetProcessGate,
  shutdownGate,
  waitForInflightZero,
} from '../../src/shutdownGate/processGate.js';
import { openCall } from './support.js';

const KEY = Symbol.for('failflat.process.v1');

function forget(): void {
  Reflect.deleteProperty(globalThis, KEY);
  resetProcessGate();
}

describe('process-wide gate', () => {
  beforeEach(forget);
  afterEach(forget);

  it('S1: stops every guard that was given no gate', async () => {
    const call = openCall<string>();
    const submit = guardOrderSubmission(() => call.promise);
    const admission = submit.trySubmit();
    requestShutdown('SIGTERM');
    requestShutdown('again');
    expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'shutdown_requested', reason: 'SIGTERM' });
    expect([admission.ok, shutdownGate.requested, shutdownGate.inflight()]).toEqual([true, true, 1]);
    const drain = waitForInflightZero({ timeoutMs: 5_000 });
    call.resolve('ok');
    expect((await drain).drained).toBe(true);
  });

  it('S1: two loaded copies share one gate', async () => {
    shutdownGate.inflight();
    vi.resetModules();
    const copy = await import('../../src/shutdownGate/processGate.js');
    expect(copy.shutdownGate).not.toBe(shutdownGate);
    const permit = copy.shutdownGate.tryEnter('theirs');
    expect(shutdownGate.inflight()).toBe(1);
    requestShutdown('ours');
    expect(copy.shutdownGate.tryEnter('late')).toMatchObject({ ok: false, reason: 'ours' });
    if (permit.ok) permit.settle('unknown');
    expect([shutdownGate.inflight(), shutdownGate.unknownOutcomes()]).toEqual([0, 1]);
    resetProcessGate();
    expect([copy.shutdownGate.requested, shutdownGate.requested]).toEqual([false, false]);
  });

  it.each([
    { version: 2, gate: {} },
    { version: 1, gate: { version: 2 } },
    { version: 2, gate: { version: 1 } },
    { version: 1, gate: null },
    { version: 1, gate: 5 },
    { version: 1, gate: {} },
    { version: 1 },
    'text',
    null,
  ])('S3: a copy that finds an unknown version under the key halts (%#)', (found) => {
    Object.defineProperty(globalThis, KEY, { value: found, configurable: true });
    expect(shutdownGate.requested).toBe(true);
    expect(guardOrderSubmission(() => 1).trySubmit()).toMatchObject({ ok: false, code: 'shutdown_requested' });
    expect(shutdownGate.reason).toContain('unknown protocol version');
    expect(Reflect.get(globalThis, KEY)).toBe(found);
  });

  it('L5: the owner of the shutdown is made once, goes with its gate, and is none where the copy is foreign', () => {
    const [first, second] = [{}, {}];
    expect(processShutdownPart(() => first)).toBe(first);
    expect(processShutdownPart(() => second)).toBe(first);
    resetProcessGate();
    expect(processShutdownPart(() => second)).toBe(second);
    forget();
    Object.defineProperty(globalThis, KEY, { value: { version: 2 }, configurable: true });
    expect(processShutdownPart(() => first)).toBeUndefined();
  });

  it('stands where other copies find it, and no code takes it for its own by chance', () => {
    shutdownGate.inflight();
    expect(Object.getOwnPropertyDescriptor(globalThis, KEY)).toMatchObject({ configurable: true, enumerable: false, writable: false });
  });

  it('S3: a copy that was halted by another serves again after a reset', () => {
    Object.defineProperty(globalThis, KEY, { value: { version: 2 }, configurable: true });
    resetProcessGate();
    expect(processShutdownPart(() => ({}))).toBeUndefined();
    Reflect.deleteProperty(globalThis, KEY);
    resetProcessGate();
    const part = {};
    expect([shutdownGate.requested, processShutdownPart(() => part)]).toEqual([false, part]);
  });

  it('a guard made before a reset settles its calls with the gate that admitted them', async () => {
    const call = openCall<string>();
    const submit = guardOrderSubmission(() => call.promise);
    const first = submit();
    resetProcessGate();
    shutdownGate.tryEnter('new');
    call.resolve('ok');
    await first;
    expect(shutdownGate.inflight()).toBe(1);
  });
});
