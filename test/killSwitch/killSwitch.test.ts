import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { isFailflatError } from '../../src/errors.js';
import { ExecutionHaltedError } from '../../src/killSwitch/errors.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { answers, DOUBT, HALTED, NOTHING, OFF, ScriptedSource, staged } from './support.js';

describe('a kill switch', () => {
  it('S3: halts until every source has been read once, and is ready then', async () => {
    const clock = new ManualClock();
    const slow = new ScriptedSource('slow');
    slow.hold = true;
    const killSwitch = createKillSwitch({ sources: [new ScriptedSource('quick'), slow], clock });
    let ready = false;
    void killSwitch.ready.then(() => {
      ready = true;
    });
    expect(killSwitch.check(clock.monotonicMs(), 'increase')).toMatchObject({ reason: 'quick has not been read yet' });
    expect(killSwitch.state().checkedAgeMs).toBe(Infinity);
    await clock.advance(10);
    expect([ready, killSwitch.isHalted(), killSwitch.state().reason]).toEqual([false, true, 'slow has not been read yet']);
    slow.answer(0, OFF('slow'));
    await clock.advance(0);
    expect([ready, killSwitch.isHalted(), killSwitch.state()]).toMatchObject([true, false, { halted: false, checkedAgeMs: 10 }]);
    await killSwitch.close();
  });

  it('is ready after one attempt on every source, failed or not', async () => {
    const failing = new ScriptedSource('failing');
    failing.throws = new Error('boom');
    const hung = new ScriptedSource('hung');
    hung.hold = true;
    const { clock, killSwitch } = await staged([failing, hung]);
    await clock.advance(1_000);
    await killSwitch.ready;
    expect(killSwitch.state()).toMatchObject({ halted: true, source: 'failing', reason: 'failing cannot be read: boom' });
    await killSwitch.close();
  });

  it('S3: answers the same on every way to ask, follows its source, and says since when', async () => {
    const source = new ScriptedSource('a');
    const stage = await staged([source]);
    const { clock, killSwitch } = stage;
    expect(answers(stage)).toBe('off');
    const offSinceMs = killSwitch.state().sinceWallMs;
    await clock.advance(1_000);
    expect(killSwitch.state()).toEqual({
      halted: false,
      source: undefined,
      reason: undefined,
      sinceWallMs: offSinceMs,
      checkedAgeMs: 0,
      sources: [{ name: 'a', says: 'off', reason: undefined, ageMs: 0 }],
    });
    source.opinion = HALTED('a');
    await clock.advance(100);
    expect(answers(stage)).toBe('halted');
    const haltedSinceMs = clock.wallMs();
    source.opinion = DOUBT('a');
    await clock.advance(250);
    expect(killSwitch.state()).toEqual({
      halted: true,
      source: 'a',
      reason: 'a is empty',
      sinceWallMs: haltedSinceMs,
      checkedAgeMs: 50,
      sources: [{ name: 'a', says: 'doubt', reason: 'is empty', ageMs: 50 }],
    });
    expect(killSwitch.check(clock.monotonicMs(), 'increase')).toEqual({
      code: 'kill_switch_enabled',
      source: 'kill_switch',
      reason: 'a is empty',
      sinceWallMs: haltedSinceMs,
    });
    source.opinion = OFF('a');
    await clock.advance(100);
    expect(answers(stage)).toBe('off');
    expect(killSwitch.state().sinceWallMs).toBe(clock.wallMs() - 50);
    await killSwitch.close();
  });

  it('throws its own error, with operation, source and reason', async () => {
    const { killSwitch } = await staged([new ScriptedSource('a', HALTED('file:/x'))]);
    const thrown = (() => {
      try {
        killSwitch.requireOff('broker order placement');
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    if (!(thrown instanceof ExecutionHaltedError)) throw new Error('not its own error');
    expect(thrown).toMatchObject({
      name: 'ExecutionHaltedError',
      code: 'kill_switch_enabled',
      operation: 'broker order placement',
      source: 'file:/x',
      reason: 'file:/x says "1"',
      message: 'broker order placement: halted by the kill switch: file:/x says "1"',
    });
    expect(isFailflatError(thrown)).toBe(true);
    await killSwitch.close();
  });

  it('S1: is a permission of the order door, at the clock that the door has read', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    const sent: string[] = [];
    const gate = createShutdownGate({ clock });
    const submit = guardOrderSubmission((order: string) => void sent.push(order), { gate, killSwitch });
    expect(submit.trySubmit('first').ok).toBe(true);
    source.opinion = HALTED('a');
    await clock.advance(100);
    expect(submit.trySubmit('second')).toMatchObject({
      ok: false,
      code: 'kill_switch_enabled',
      source: 'kill_switch',
      reason: 'a says "1"',
    });
    expect(sent).toEqual(['first']);
    await killSwitch.close();
  });

  it('S10: blocks neither cancels nor reductions, whatever its state, where no source tells of exits', async () => {
    for (const opinion of [OFF('a'), HALTED('a'), DOUBT('a'), NOTHING('a')]) {
      const { clock, killSwitch } = await staged([new ScriptedSource('a', opinion)]);
      expect(killSwitch.check(clock.monotonicMs(), 'cancel')).toBeUndefined();
      expect(killSwitch.check(clock.monotonicMs(), 'reduce')).toBeUndefined();
      expect(killSwitch.check(Number.NaN, 'reduce')).toBeUndefined();
      await killSwitch.close();
    }
  });

  it('S10: refuses a reduction while an exit is under way, or may be', async () => {
    const bus = new ScriptedSource('bus');
    bus.tellsExits = true;
    const { clock, killSwitch } = await staged([new ScriptedSource('file', HALTED('file')), bus]);
    const reduce = () => killSwitch.check(clock.monotonicMs(), 'reduce');
    expect(reduce()).toBeUndefined();
    bus.opinion = { says: 'halted', from: 'bus', reason: 'says HALTED', exit: { reason: 'brain dead', sinceWallMs: 7 } };
    await clock.advance(100);
    expect(reduce()).toEqual({
      code: 'exit_in_progress',
      source: 'kill_switch',
      reason: 'only the exit worker closes now: brain dead',
      sinceWallMs: 7,
    });
    expect(killSwitch.check(clock.monotonicMs(), 'cancel')).toBeUndefined();
    bus.opinion = DOUBT('bus');
    await clock.advance(100);
    expect(reduce()).toEqual({
      code: 'kill_switch_enabled',
      source: 'kill_switch',
      reason: 'an exit may be under way, and only its worker would close: bus is empty',
    });
    bus.opinion = HALTED('bus');
    await clock.advance(100);
    expect(reduce()).toBeUndefined();
    bus.hold = true;
    await clock.advance(1_100);
    expect(reduce()?.reason).toBe('an exit may be under way, and only its worker would close: bus has not answered within 1000 ms');
    await killSwitch.close();
    expect(reduce()?.reason).toBe('an exit may be under way, and only its worker would close: the kill switch is closed');
  });

  it('S10: refuses a reduction on a word about exits that has lapsed', async () => {
    const bus = new ScriptedSource('bus');
    bus.tellsExits = true;
    const { clock, killSwitch } = await staged([bus]);
    const stalls = [clock.stall(1_000)];
    expect(killSwitch.check(clock.monotonicMs(), 'reduce')).toBeUndefined();
    stalls.push(clock.stall(1));
    expect(killSwitch.check(clock.monotonicMs(), 'reduce')?.reason).toContain('bus is stale: it was last read 1001 ms ago');
    await Promise.all(stalls);
    await killSwitch.close();
  });

  it('S3: an intent that nobody knows counts as one that adds risk', async () => {
    const { clock, killSwitch } = await staged([new ScriptedSource('a', HALTED('a'))]);
    expect(killSwitch.check(clock.monotonicMs(), 'open' as 'increase')?.code).toBe('kill_switch_enabled');
    await killSwitch.close();
  });
});

describe('its end', () => {
  it('S3: closed, it halts for good, reads no more, and takes back what its sources set up', async () => {
    const source = new ScriptedSource('a');
    const hung = new ScriptedSource('hung');
    const stage = await staged([source, hung]);
    const { clock, killSwitch } = stage;
    hung.hold = true;
    await clock.advance(150);
    const told: unknown[] = [];
    killSwitch.onChange(({ reason }) => told.push(reason));
    await killSwitch.close();
    await killSwitch.close();
    await killSwitch[Symbol.asyncDispose]();
    expect(answers(stage)).toBe('halted');
    // Nobody waited for its answer to the end.
    expect(killSwitch.state().sources).toMatchObject([{ says: 'off' }, { name: 'hung', says: 'off' }]);
    expect([source.closed, hung.closed, hung.isGivenUp(0), told]).toEqual([1, 1, true, ['the kill switch is closed']]);
    const { reads } = source;
    hung.answer(0, OFF('hung'));
    source.context?.changed();
    await clock.advance(10_000);
    expect([source.reads, hung.reads, answers(stage), told.length]).toEqual([reads, 2, 'halted', 1]);
    await killSwitch.ready;
  });

  it('comes with its scope as well', async () => {
    const source = new ScriptedSource('a');
    const { killSwitch } = await staged([source]);
    {
      await using scoped = killSwitch;
      expect(scoped.isHalted()).toBe(false);
    }
    expect([source.closed, killSwitch.state().reason]).toEqual([1, 'the kill switch is closed']);
  });

  it('closed before anything was read, it is ready and halted', async () => {
    const source = new ScriptedSource('a');
    source.hold = true;
    const { killSwitch } = await staged([source]);
    await killSwitch.close();
    await killSwitch.ready;
    expect(killSwitch.isHalted()).toBe(true);
  });

  it('leaves no timer behind', async () => {
    const clock = new ManualClock();
    let pending = 0;
    const counting = {
      ...systemClock,
      monotonicMs: clock.monotonicMs,
      wallMs: clock.wallMs,
      setTimer: (delayMs: number, fire: () => void) => {
        pending += 1;
        let isOver = false;
        const end = () => {
          if (!isOver) pending -= 1;
          isOver = true;
        };
        const timer = clock.setTimer(delayMs, () => {
          end();
          fire();
        });
        return {
          cancel: () => {
            end();
            timer.cancel();
          },
        };
      },
    };
    const hung = new ScriptedSource('hung');
    const killSwitch = createKillSwitch({ sources: [new ScriptedSource('a'), hung], clock: counting });
    killSwitch.scoped({ strategy: 's' });
    await clock.advance(500);
    hung.hold = true;
    await clock.advance(500);
    expect(pending).toBeGreaterThan(0);
    await killSwitch.close();
    expect(pending).toBe(0);
  });

  it('only the timer of a first read keeps a process alive: somebody may wait for it', async () => {
    const kept: (boolean | undefined)[] = [];
    const clock = new ManualClock();
    const watching = {
      ...systemClock,
      monotonicMs: clock.monotonicMs,
      wallMs: clock.wallMs,
      setTimer: (delayMs: number, fire: () => void, options?: { readonly keepAlive?: boolean }) => {
        kept.push(options?.keepAlive);
        return clock.setTimer(delayMs, fire);
      },
    };
    const killSwitch = createKillSwitch({ sources: [new ScriptedSource('a')], clock: watching });
    await clock.advance(5_000);
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.map((keepAlive) => keepAlive !== false)).toEqual(kept.map((_, index) => index === 0));
    await killSwitch.close();
  });
});
