import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { ExecutionHaltedError } from '../../src/killSwitch/errors.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import type { Opinion } from '../../src/killSwitch/source.js';
import type { KillSwitchState } from '../../src/killSwitch/view.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { answers, HALTED, OFF, ScriptedSource, staged } from './support.js';

describe('what is old', () => {
  it('S3: halts when a source hangs, from the moment in which its last answer lapses, and tells listeners then', async () => {
    const source = new ScriptedSource('a');
    const stage = await staged([source, new ScriptedSource('b')], { maxStalenessMs: 1_000, pollMs: 100 });
    const { clock, killSwitch } = stage;
    const told: KillSwitchState[] = [];
    killSwitch.onChange((state) => told.push(state));
    source.hold = true;
    await clock.advance(1_000);
    expect([answers(stage), told]).toEqual(['off', []]);
    await clock.advance(1);
    expect([answers(stage), told.length, told[0]?.source]).toEqual(['halted', 1, 'a']);
    expect(killSwitch.state()).toMatchObject({
      sinceWallMs: clock.wallMs(),
      reason: 'a is stale: it was last read 1001 ms ago, at most 1000 are allowed',
    });
    await clock.advance(99);
    expect(told.map(({ reason }) => reason)).toEqual([
      'a is stale: it was last read 1001 ms ago, at most 1000 are allowed',
      'a has not answered within 1000 ms',
    ]);
    expect(killSwitch.state().sinceWallMs).toBe(clock.wallMs() - 99);
    await killSwitch.close();
  });

  it('S3: tells listeners of a lapse however long it has been off before', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    const told: unknown[] = [];
    killSwitch.onChange(({ reason }) => told.push([clock.monotonicMs(), reason]));
    await clock.advance(10_050);
    const lastMs = clock.monotonicMs() - killSwitch.state().checkedAgeMs;
    source.hold = true;
    await clock.advance(1_000);
    expect(told).toEqual([[lastMs + 1_001, 'a is stale: it was last read 1001 ms ago, at most 1000 are allowed']]);
    await killSwitch.close();
  });

  it('S3: a late answer counts from when it was asked for, and not at all once it was given up on', async () => {
    const source = new ScriptedSource('a', HALTED('a'));
    const { clock, killSwitch } = await staged([source]);
    source.hold = true;
    await clock.advance(100);
    await clock.advance(900);
    source.answer(0, OFF('a'));
    await clock.advance(0);
    expect([killSwitch.isHalted(), killSwitch.state().checkedAgeMs]).toEqual([false, 900]);
    await clock.advance(101);
    expect(killSwitch.isHalted()).toBe(true);
    expect(source.isGivenUp(1)).toBe(false);
    await clock.advance(999);
    expect(source.isGivenUp(1)).toBe(true);
    source.answer(1, OFF('a'));
    await clock.advance(0);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'a has not answered within 1000 ms' });
    await killSwitch.close();
  });

  it('S3: an answer that was overtaken by a newer one changes nothing', async () => {
    const source = new ScriptedSource('a');
    source.hold = true;
    const { clock, killSwitch } = await staged([source]);
    await clock.advance(1_000);
    await clock.advance(100);
    expect(source.held).toBe(2);
    source.answer(1, HALTED('a'));
    await clock.advance(0);
    source.answer(0, OFF('a'));
    await clock.advance(0);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'a says "1"' });
    await killSwitch.close();
  });

  it('asks a source that hangs no more than a few times, and again as soon as one of them has answered: no restart is needed', async () => {
    const source = new ScriptedSource('a');
    source.hold = true;
    const { clock, killSwitch } = await staged([source]);
    await clock.advance(60_000);
    expect([source.reads, killSwitch.isHalted()]).toEqual([2, true]);
    source.hold = false;
    await clock.advance(60_000);
    expect(source.reads).toBe(2);
    source.fail(1, new Error('at last'));
    await clock.advance(0);
    expect([source.reads, killSwitch.isHalted()]).toEqual([3, false]);
    await killSwitch.close();
  });

  it('L4: the clock at the door decides, before any timer has run', async () => {
    const stage = await staged([new ScriptedSource('a')]);
    const { clock, killSwitch } = stage;
    expect(killSwitch.check(clock.monotonicMs() - 1, 'increase')?.reason).toContain('from before the last read');
    const stalls = [clock.stall(1_000)];
    expect(answers(stage)).toBe('off');
    stalls.push(clock.stall(1));
    expect([answers(stage), killSwitch.check(clock.monotonicMs(), 'increase')?.reason]).toEqual([
      'halted',
      'a is stale: it was last read 1001 ms ago, at most 1000 are allowed',
    ]);
    await Promise.all(stalls);
    expect(answers(stage)).toBe('off');
    expect(killSwitch.check(Number.NaN, 'increase')?.code).toBe('kill_switch_enabled');
    await killSwitch.close();
  });

  it('what lapsed and was not noted yet began now, as far as anybody knows', async () => {
    const { clock, killSwitch } = await staged([new ScriptedSource('a')]);
    clock.stepWall(3_600_000);
    expect(killSwitch.state()).toMatchObject({ halted: true, source: 'clock', sinceWallMs: clock.wallMs() });
    expect(killSwitch.check(clock.monotonicMs(), 'increase')).toMatchObject({ sinceWallMs: clock.wallMs() });
    await clock.advance(100);
    expect(killSwitch.isHalted()).toBe(false);
    await killSwitch.close();
  });

  it('takes its bounds from the options', async () => {
    const { clock, killSwitch } = await staged([new ScriptedSource('a')], { maxStalenessMs: 300, pollMs: 150, wallDivergenceMs: 50 });
    clock.stepWall(51);
    expect(killSwitch.isHalted()).toBe(true);
    clock.stepWall(-51);
    const stalls = [clock.stall(300)];
    expect(killSwitch.isHalted()).toBe(false);
    stalls.push(clock.stall(1));
    expect(killSwitch.isHalted()).toBe(true);
    await Promise.all(stalls);
    await killSwitch.close();
  });
});

describe('reading', () => {
  it('polls: the next read begins pollMs after the last has ended', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source], { pollMs: 40 });
    await clock.advance(39);
    expect(source.reads).toBe(1);
    await clock.advance(1);
    expect(source.reads).toBe(2);
    await killSwitch.close();
    await clock.advance(1_000);
    expect(source.reads).toBe(2);
  });

  it('reads at once on a hint', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    source.opinion = HALTED('a');
    source.context?.changed();
    await clock.advance(0);
    expect([source.reads, killSwitch.isHalted()]).toEqual([2, true]);
    await killSwitch.close();
  });

  it('S3: reads again after a hint that came during a read: what it brings may be from before the change', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    source.hold = true;
    await clock.advance(100);
    source.context?.changed();
    source.hold = false;
    source.opinion = HALTED('a');
    source.answer(0, OFF('a'));
    await clock.advance(4);
    expect([source.reads, killSwitch.isHalted()]).toEqual([2, false]);
    await clock.advance(1);
    expect([source.reads, killSwitch.isHalted()]).toEqual([3, true]);
    await clock.advance(99);
    expect(source.reads).toBe(3);
    await killSwitch.close();
  });

  it('a storm of hints takes one read every few milliseconds', async () => {
    const source = new ScriptedSource('a');
    const { clock, killSwitch } = await staged([source]);
    source.opinion = OFF('a');
    for (let ms = 0; ms < 100; ms += 1) {
      source.hold = true;
      source.context?.changed();
      await clock.advance(0);
      source.context?.changed();
      source.answerAll(OFF('a'));
      await clock.advance(1);
    }
    expect(source.reads).toBeGreaterThan(15);
    expect(source.reads).toBeLessThan(25);
    await killSwitch.close();
  });

  it('a source that waits by itself is read again at once, unless it is in doubt', async () => {
    const source = new ScriptedSource('a');
    source.waits = true;
    source.hold = true;
    const { clock, killSwitch } = await staged([source]);
    source.answer(0, OFF('a'));
    await clock.advance(0);
    expect(source.held).toBe(2);
    source.fail(1, new Error('cut'));
    await clock.advance(99);
    expect([source.held, killSwitch.state().reason]).toEqual([2, 'a cannot be read: cut']);
    await clock.advance(1);
    expect(source.held).toBe(3);
    await killSwitch.close();
  });

  it('S3: whatever is thrown is doubt', async () => {
    for (const thrown of [new Error('boom'), 'boom', undefined, Object.create(null)]) {
      const source = new ScriptedSource('a');
      const { clock, killSwitch } = await staged([source]);
      source.throws = thrown ?? null;
      await clock.advance(100);
      expect(killSwitch.state()).toMatchObject({
        halted: true,
        source: 'a',
        reason: expect.stringMatching(/^a cannot be read: ./) as unknown,
      });
      source.throws = undefined;
      await clock.advance(100);
      expect(killSwitch.isHalted()).toBe(false);
      await killSwitch.close();
    }
  });

  it.each([
    ['a word that nobody knows', { says: 'HALT', from: 'a', reason: 'stop' }],
    ['null', null],
    ['a text', 'halted'],
    ['no origin', { says: 'off' }],
    ['no reason', { says: 'halted', from: 'a' }],
  ])('S3: a source that answers %s is in doubt, and hides no other', async (_what, answer) => {
    const [source, other] = [new ScriptedSource('a'), new ScriptedSource('b')];
    const { clock, killSwitch } = await staged([source, other]);
    expect(killSwitch.isHalted()).toBe(false);
    source.opinion = answer as Opinion;
    await clock.advance(100);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'a answered something that is no opinion' });
    other.opinion = HALTED('b');
    await clock.advance(100);
    expect(killSwitch.state().reason).toBe('b says "1"');
    await killSwitch.close();
  });

  it('a source that cannot be opened leaves none open that was before it', async () => {
    const clock = new ManualClock();
    const [source, other] = [new ScriptedSource('a'), new ScriptedSource('b')];
    other.open = () => {
      throw new Error('not to be had');
    };
    expect(() => createKillSwitch({ sources: [source, other], clock })).toThrow('not to be had');
    await clock.advance(10_000);
    expect([source.reads, source.closed, clock.pending]).toEqual([1, 1, 0]);
  });

  it('one whose closing throws keeps none from being closed', async () => {
    const clock = new ManualClock();
    const [source, other] = [new ScriptedSource('a'), new ScriptedSource('b')];
    const killSwitch = createKillSwitch({ sources: [source, other], clock });
    const open = source.open.bind(source);
    source.open = (context) => ({
      ...open(context),
      close: () => {
        throw new Error('stuck');
      },
    });
    const second = createKillSwitch({ sources: [source, other], clock });
    await Promise.all([killSwitch.close(), second.close()]);
    expect([other.closed, second.isHalted(), clock.pending]).toEqual([2, true, 0]);
  });

  it('S3: a clock that throws while a change is told hides the halt from nobody', async () => {
    const clock = new ManualClock();
    const source = new ScriptedSource('a');
    let untilThrow = Infinity;
    const wallMs = () => {
      untilThrow -= 1;
      if (untilThrow === 0) throw new Error('no clock');
      return clock.wallMs();
    };
    const stumbling = { ...systemClock, setTimer: clock.setTimer, monotonicMs: () => clock.monotonicMs(), wallMs };
    const killSwitch = createKillSwitch({ sources: [source], clock: stumbling, maxStalenessMs: 60_000, pollMs: 30_000 });
    await clock.advance(0);
    const view = killSwitch.scoped({ strategy: 's' });
    expect([killSwitch.isHalted(), view.isHalted()]).toEqual([false, false]);
    source.opinion = HALTED('a');
    // The read and its record take one each; the third is that of the switch itself, before its views are told.
    untilThrow = 3;
    source.context?.changed();
    await clock.advance(10);
    expect([untilThrow < 0, killSwitch.isHalted(), view.isHalted()]).toEqual([true, true, true]);
    untilThrow = 1;
    await killSwitch.close();
    expect(view.state()).toMatchObject({ reason: 'the kill switch is closed' });
  });

  it('S3: a clock that throws at the first read halts, and keeps nobody from being ready or closed', async () => {
    const clock = new ManualClock();
    let readings = 0;
    const monotonicMs = () => {
      readings += 1;
      if (readings > 1) throw new Error('no clock');
      return clock.monotonicMs();
    };
    const failing = { ...systemClock, setTimer: clock.setTimer, wallMs: () => clock.wallMs(), monotonicMs };
    const killSwitch = createKillSwitch({ sources: [new ScriptedSource('a')], clock: failing });
    await killSwitch.ready;
    expect(killSwitch.isHalted()).toBe(true);
    expect(killSwitch.check(clock.monotonicMs(), 'increase')?.reason).toBe('a is not followed any more: no clock');
    await killSwitch.close();
  });

  it('S3: a clock that throws halts, and nothing is thrown at whoever asks', async () => {
    const clock = new ManualClock();
    let broken = false;
    const failing = {
      ...systemClock,
      setTimer: clock.setTimer,
      monotonicMs: () => {
        if (broken) throw new Error('no clock');
        return clock.monotonicMs();
      },
      wallMs: () => {
        if (broken) throw new Error('no clock');
        return clock.wallMs();
      },
    };
    const { killSwitch } = await staged([new ScriptedSource('a')], { clock: failing });
    await clock.advance(0);
    expect(killSwitch.isHalted()).toBe(false);
    broken = true;
    expect(killSwitch.isHalted()).toBe(true);
    expect(killSwitch.check(1, 'increase')).toEqual({
      code: 'kill_switch_enabled',
      source: 'kill_switch',
      reason: 'the clock failed, and without it nothing can be relied on',
    });
    expect(() => killSwitch.requireOff('x')).toThrow(ExecutionHaltedError);
    expect(() => killSwitch.requireOff('x')).toThrow(expect.objectContaining({ source: 'clock' }));
    await clock.advance(100);
    broken = false;
    await clock.advance(1_000);
    expect(killSwitch.state()).toMatchObject({ halted: true, reason: 'a is not followed any more: no clock' });
    await killSwitch.close();
  });
});
