import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { ConfigurationError } from '../../src/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { SharedGate, sharedGateMemory } from '../../src/shutdownGate/sharedGate.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall } from './support.js';

function twoGates() {
  const clock = new ManualClock();
  const shared = sharedGateMemory();
  return { clock, shared, mine: createShutdownGate({ clock, shared }), theirs: createShutdownGate({ clock, shared }) };
}

describe('gates over shared memory', () => {
  it('S1: the stop of one is the stop of the other, with the first reason', async () => {
    const { clock, mine, theirs } = twoGates();
    const { signal } = mine;
    theirs.requestShutdown('theirs');
    const sinceWallMs = clock.wallMs();
    mine.requestShutdown('mine');
    expect(guardOrderSubmission(() => 1, { gate: mine }).trySubmit()).toMatchObject({
      ok: false,
      code: 'shutdown_requested',
      reason: 'theirs',
      sinceWallMs,
    });
    expect([mine.requested, mine.reason, mine.status().sinceWallMs, signal.aborted]).toEqual([true, 'theirs', sinceWallMs, true]);
    expect(mine.inflight()).toBe(0);
  });

  it('S1: a thread that sends nothing hears of the stop through its signal', async () => {
    const { clock, mine, theirs } = twoGates();
    const { signal } = mine;
    theirs.requestShutdown('theirs');
    expect(signal.aborted).toBe(false);
    await clock.advance(20);
    expect(signal.aborted).toBe(true);
  });

  it('S1: looks for the stop by one quiet timer, from the first who wants to hear of it until it has come', async () => {
    const clock = new ManualClock();
    const timers: unknown[] = [];
    const setTimer: Clock['setTimer'] = (delayMs, fire, options) => {
      timers.push([delayMs, options?.keepAlive]);
      return clock.setTimer(delayMs, fire);
    };
    const watched: Clock = { ...clock, setTimer };
    const alone = createShutdownGate({ clock: watched });
    expect([alone.signal.aborted, timers]).toEqual([false, []]);
    const shared = sharedGateMemory();
    const [mine, theirs] = [createShutdownGate({ clock: watched, shared }), createShutdownGate({ clock, shared })];
    expect([mine.signal, mine.signal].map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(timers).toEqual([[20, false]]);
    await clock.advance(100);
    expect(timers).toHaveLength(6);
    theirs.requestShutdown('theirs');
    await clock.advance(100);
    expect([mine.signal.aborted, timers.length, clock.pending]).toEqual([true, 6, 0]);
  });

  it('S2: a drain waits for the orders of the others, and ends when they have', async () => {
    const { clock, mine, theirs } = twoGates();
    const call = openCall<string>();
    const submit = guardOrderSubmission(() => call.promise, { gate: theirs });
    const order = submit();
    mine.requestShutdown('stop');
    const early = await mine.waitForInflightZero({ timeoutMs: 0 });
    expect([early.drained, early.inflightElsewhere]).toEqual([false, 1]);
    const drain = mine.waitForInflightZero({ timeoutMs: 1_000 });
    await clock.advance(100);
    call.resolve('ok');
    await order;
    await clock.advance(20);
    expect(await drain).toEqual({ drained: true, waitedMs: 120, unfinished: [], inflightElsewhere: 0 });
  });

  it('S1: a closer that stopped between its flag and its words has shut the gate', () => {
    const { shared, mine } = twoGates();
    Atomics.store(new Int32Array(shared), 1, 1);
    const refusal = { code: 'shutdown_requested', source: 'shutdown_gate', reason: 'another thread is shutting down' };
    expect(mine.tryEnter('late')).toEqual({ ok: false, ...refusal });
    expect([new SharedGate(shared).count(), mine.requested, mine.signal.aborted]).toEqual([0, true, false]);
    mine.requestShutdown('mine');
    expect([mine.reason, mine.signal.aborted]).toEqual(['mine', true]);
  });

  it('a reason too long for the memory is cut, and still a text', () => {
    const { mine, theirs } = twoGates();
    theirs.requestShutdown('…'.repeat(1_000));
    expect(mine.reason).toMatch(/^…{150,}/);
  });

  it.each([[new SharedArrayBuffer(512)], [new SharedArrayBuffer(4)], [new ArrayBuffer(512)], ['text'], [null]])(
    'S3: memory that is not a gate’s is refused (%#)',
    (shared) => {
      const open = (): unknown => Reflect.apply(createShutdownGate, undefined, [{ shared }]);
      expect(open).toThrow(ConfigurationError);
    },
  );
});
