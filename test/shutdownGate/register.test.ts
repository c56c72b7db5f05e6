/** What the state behind a gate tells its logger, keeps of orders whose fate nobody knows, and leaves behind: nothing. */
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../src/logger.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { SubmissionRegister } from '../../src/shutdownGate/register.js';
import { SharedGate, sharedGateMemory } from '../../src/shutdownGate/sharedGate.js';
import { ManualClock } from '../../src/testing/manualClock.js';

function scene() {
  const clock = new ManualClock();
  const said: unknown[] = [];
  const say =
    (level: string) =>
    (details: object, message: string): void =>
      void said.push([level, details, message]);
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  return { clock, said, register: new SubmissionRegister({ clock, logger }) };
}

function entered(register: SubmissionRegister, label: string, nowMs = 0) {
  const entry = register.enter(label, nowMs);
  if (entry === undefined) throw new Error('the gate is shut');
  return entry;
}

describe('register', () => {
  it('tells its logger of the stop, of an unknown outcome, and of who resolved it', () => {
    const { said, register } = scene();
    const lost = entered(register, 'a');
    entered(register, 'b');
    register.settle(lost, 'unknown');
    expect(register.resolve(lost.entryId, 'acknowledged', 'ops')).toBe('resolved');
    register.requestShutdown('SIGTERM');
    register.requestShutdown('again');
    const { entryId } = lost;
    expect(said).toEqual([
      ['warn', { entryId, label: 'a' }, 'the outcome of an order is unknown until it is resolved'],
      ['info', { entryId, label: 'a', outcome: 'acknowledged', by: 'ops' }, 'the outcome of an order was resolved'],
      ['warn', { reason: 'SIGTERM', inflight: 1 }, 'shutdown requested: no further order is admitted'],
    ]);
  });

  it('S2: resolves by id alone, with a word that is an outcome, and tells every listener', () => {
    const { register } = scene();
    const told: unknown[] = [];
    register.onResolved(() => {
      throw new Error('listener');
    });
    register.onResolved((entryId, outcome) => void told.push([entryId, outcome]));
    const [first, second] = [entered(register, 'a'), entered(register, 'b')];
    register.settle(first, 'unknown');
    expect(register.resolve(first.entryId, 'unknown', 'ops')).toBe('not_found');
    expect(register.resolve(second.entryId, 'refused', 'ops')).toBe('in_flight');
    expect(register.resolve(99, 'refused', 'ops')).toBe('not_found');
    expect([told, register.unknownOutcomes()]).toEqual([[], 1]);
    expect(register.resolve(first.entryId, 'refused', 'ops')).toBe('resolved');
    expect([told, register.unknownOutcomes()]).toEqual([[[first.entryId, 'refused']], 0]);
  });

  it('S2: an order that ended is not timed out any more, and one that timed out may still end', async () => {
    const { register } = scene();
    const [ended, lost, late] = [entered(register, 'a'), entered(register, 'b'), entered(register, 'c')];
    register.settle(ended, 'acknowledged');
    register.settle(lost, 'unknown');
    for (const entry of [ended, lost, late]) register.markTimedOut(entry);
    register.markTimedOut({ entryId: late.entryId, enteredMs: 0 });
    const { unfinished } = await register.waitForInflightZero(0);
    expect(unfinished.map(({ label, state }) => [label, state])).toEqual([
      ['b', 'unknown'],
      ['c', 'timed_out'],
    ]);
    register.settle(late, 'acknowledged');
    register.settle({ entryId: late.entryId, enteredMs: 0 }, 'acknowledged');
    expect(register.inflight()).toBe(0);
  });

  it('L5: a drain that is over leaves no timer and wakes nobody twice', async () => {
    const { clock, register } = scene();
    const entry = entered(register, 'a');
    const drain = register.waitForInflightZero(1_000);
    expect(clock.pending).toBe(1);
    register.settle(entered(register, 'b'), 'refused');
    expect(clock.pending).toBe(1);
    register.settle(entry, 'acknowledged');
    expect((await drain).drained).toBe(true);
    expect(clock.pending).toBe(0);
    register.settle(entered(register, 'c'), 'acknowledged');
  });

  it('S1: the signal is aborted with the reason, whenever it is asked for', () => {
    const { register } = scene();
    const before = register.signal();
    expect([before.aborted, register.signal()]).toEqual([false, before]);
    register.requestShutdown('SIGTERM');
    const reason: unknown = before.reason;
    expect([before.aborted, reason]).toEqual([true, expect.objectContaining({ name: 'AbortError', message: 'SIGTERM' })]);
    const late = scene().register;
    late.requestShutdown('SIGINT');
    expect(late.signal()).toMatchObject({ aborted: true, reason: { name: 'AbortError', message: 'SIGINT' } });
  });

  it('S10: a permit that was revoked while its order was at the door lets nothing in', () => {
    const { register } = scene();
    const permit = register.issueExitPermit();
    register.requestShutdown('stop');
    expect(register.enter('first', 0, permit)).toBeDefined();
    register.revokeExitPermit(permit);
    expect([register.enter('second', 0, permit), register.enter('third', 0), register.inflight()]).toEqual([undefined, undefined, 1]);
  });

  it('tells how old its oldest order is, and nothing of the kind while there is none', async () => {
    const { clock, register } = scene();
    expect(register.status().oldestInflightAgeMs).toBeUndefined();
    const entry = entered(register, 'a', clock.monotonicMs());
    await clock.advance(70);
    expect(register.status().oldestInflightAgeMs).toBe(70);
    register.settle(entry, 'acknowledged');
    expect(register.status().oldestInflightAgeMs).toBeUndefined();
  });
});

describe('a gate of several threads', () => {
  it('S1: one that only listens hears of the stop of another, and then stops asking', async () => {
    const clock = new ManualClock();
    const shared = sharedGateMemory();
    const [mine, theirs] = [createShutdownGate({ clock, shared }), createShutdownGate({ clock, shared })];
    const { signal } = mine;
    expect([mine.signal, clock.pending]).toEqual([signal, 1]);
    await clock.advance(60);
    expect([signal.aborted, clock.pending]).toEqual([false, 1]);
    theirs.requestShutdown('SIGTERM');
    await clock.advance(20);
    expect([signal.aborted, mine.reason, clock.pending]).toEqual([true, 'SIGTERM', 0]);
  });

  it('S2: a drain waits for the orders of the others, and counts its own but once', async () => {
    const clock = new ManualClock();
    const shared = sharedGateMemory();
    const [mine, theirs] = [createShutdownGate({ clock, shared }), createShutdownGate({ clock, shared })];
    const own = mine.tryEnter('own');
    const other = theirs.tryEnter('other');
    mine.requestShutdown('stop');
    expect(theirs.tryEnter('late')).toMatchObject({ ok: false, reason: 'stop' });
    if (own.ok) own.settle('acknowledged');
    const drain = mine.waitForInflightZero({ timeoutMs: 1_000 });
    await clock.advance(100);
    expect((await mine.waitForInflightZero({ timeoutMs: 0 })).inflightElsewhere).toBe(1);
    if (other.ok) other.settle('acknowledged');
    await clock.advance(20);
    expect(await drain).toEqual({ drained: true, waitedMs: 120, unfinished: [], inflightElsewhere: 0 });
    await clock.advance(40);
    expect(clock.pending).toBe(0);
  });

  it('S2: counts the orders of other threads apart from its own', async () => {
    const memory = sharedGateMemory();
    const [mine, theirs] = [createShutdownGate({ shared: memory }), createShutdownGate({ shared: memory })];
    for (const gate of [mine, mine, theirs]) expect(gate.tryEnter('order').ok).toBe(true);
    const [own, other] = await Promise.all([mine, theirs].map((gate) => gate.waitForInflightZero({ timeoutMs: 0 })));
    expect([own?.inflightElsewhere, own?.unfinished.length]).toEqual([1, 2]);
    expect([other?.inflightElsewhere, other?.unfinished.length]).toEqual([2, 1]);
  });

  it('takes no memory but its own kind', () => {
    const { byteLength } = sharedGateMemory();
    for (const memory of [new ArrayBuffer(byteLength), new SharedArrayBuffer(byteLength), new SharedArrayBuffer(8), undefined, null, {}]) {
      expect(() => new SharedGate(memory)).toThrow('shared = ');
      expect(() => new SharedGate(memory)).toThrow('must be memory made by sharedGateMemory()');
    }
  });
});
