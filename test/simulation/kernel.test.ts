import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TIMER_MS } from '../../src/clock.js';
import { seededRandom } from '../../src/random.js';
import { bestDrain, type DrainKind, runDrained } from '../../src/simulation/kernel/drain.js';
import { EventQueue } from '../../src/simulation/kernel/eventQueue.js';
import { Kernel, SimulationStuckError } from '../../src/simulation/kernel/kernel.js';
import { SimulatedProcess } from '../../src/simulation/kernel/simulatedProcess.js';
import { fcSeed } from '../support/seed.js';

const SELF = { host: 'h', bootId: 'b', pid: 1 };
const kernelOf = (drain?: DrainKind) => new Kernel(seededRandom(1), drain);
const processOf = (kernel: Kernel, rate = 1) => new SimulatedProcess(kernel, 'p', SELF, { startMs: 1_000, wallStartMs: 5_000, rate });

describe('the event queue', () => {
  it('gives events back by due time, then in the order in which they were added, without those that were cancelled', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ dueMs: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 60 }), (added) => {
        const queue = new EventQueue();
        const events = added.map(({ dueMs, cancelled }, index) => {
          const event = queue.add(dueMs, String(index), () => {});
          event.cancelled = cancelled;
          return event;
        });
        const taken: string[] = [];
        for (let next = queue.take(Infinity); next !== undefined; next = queue.take(Infinity)) taken.push(next.what);
        const expected = events.filter((event) => !event.cancelled).toSorted((a, b) => a.dueMs - b.dueMs || a.order - b.order);
        expect(taken).toEqual(expected.map(({ what }) => what));
      }),
      { seed: fcSeed },
    );
  });
});

describe('between two events', () => {
  it.each(['fast', 'immediate'] as const)(
    'every promise settles, however deep the chain and whatever ticks stand in it (%s)',
    async (kind) => {
      if (kind === 'fast' && (await bestDrain()) !== 'fast')
        throw new Error('this Node has no fast drain: the fallback is used, and this test must say so');
      const reached: number[] = [];
      let steps = 0;
      const chain = async (step: number) => {
        for (let hop = 0; hop < 30; hop += 1) await Promise.resolve();
        await new Promise<void>((resolve) => process.nextTick(resolve));
        for (let hop = 0; hop < 30; hop += 1) await Promise.resolve();
        reached.push(step);
      };
      await runDrained(() => {
        expect(reached).toHaveLength(steps);
        if (steps === 3) return false;
        steps += 1;
        void chain(steps);
        return true;
      }, kind);
      expect(reached).toEqual([1, 2, 3]);
    },
  );

  it('both ways of draining give the same trace', async () => {
    const traceOf = async (kind: DrainKind) => {
      const kernel = kernelOf(kind);
      const { clock } = processOf(kernel);
      const random = kernel.random.fork('walk');
      const walk = async (name: string) => {
        for (let step = 0; step < 50; step += 1) {
          await clock.sleep(random.below(5));
          kernel.trace.text(`${name} ${step}`);
        }
      };
      kernel.at(0, 'begin', () => void Promise.all([walk('a'), walk('b'), walk('c')]));
      await kernel.runUntil(1_000);
      return kernel.trace.digest();
    };
    expect(await traceOf('immediate')).toBe(await traceOf((await bestDrain()) === 'fast' ? 'fast' : 'immediate'));
  });

  it('a simulation in which time stands still ends with an error that names what goes on', async () => {
    const kernel = kernelOf();
    const again = () => void kernel.after(0, 'the loop', again);
    again();
    const error: unknown = await kernel.runUntil(10).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SimulationStuckError);
    expect(String(error)).toContain('the loop');
  });
});

describe("a node's clock", () => {
  it('cuts delays to whole milliseconds, makes 0 of them 1, and refuses what Node would fire at once', async () => {
    const kernel = kernelOf();
    const { clock } = processOf(kernel);
    const fired: [number, number][] = [];
    for (const delayMs of [0, 0.4, 1, 2.9, 10]) clock.setTimer(delayMs, () => fired.push([delayMs, clock.monotonicMs() - 1_000]));
    await kernel.runUntil(100);
    expect(fired).toEqual([
      [0, 1],
      [0.4, 1],
      [1, 1],
      [2.9, 2],
      [10, 10],
    ]);
    expect(() => clock.setTimer(MAX_TIMER_MS + 1, () => {})).toThrow(RangeError);
    expect(() => clock.setTimer(-1, () => {})).toThrow(RangeError);
  });

  it('a timer that was cancelled never fires, also when it is cancelled by one that is due with it', async () => {
    const kernel = kernelOf();
    const { clock } = processOf(kernel);
    const fired: string[] = [];
    clock.setTimer(5, () => {
      fired.push('first');
      second.cancel();
    });
    const second = clock.setTimer(5, () => fired.push('second'));
    await kernel.runUntil(20);
    expect(fired).toEqual(['first']);
  });

  it('drifts in both clocks, and a wall step moves one of them', async () => {
    const kernel = kernelOf();
    const { clock } = processOf(kernel, 1.001);
    await kernel.runUntil(10_000);
    expect(clock.monotonicMs()).toBeCloseTo(11_010, 6);
    expect(Math.abs(clock.wallMs() - 15_010)).toBeLessThanOrEqual(1);
    clock.stepWall(-3_600_000);
    expect(Math.abs(clock.wallMs() - (15_010 - 3_600_000))).toBeLessThanOrEqual(1);
    expect(clock.monotonicMs()).toBeCloseTo(11_010, 6);
  });

  it('trap 49: a suspended host stops its monotonic clock and its timers, and not its wall clock', async () => {
    const kernel = kernelOf();
    const process = processOf(kernel);
    const fired: number[] = [];
    process.clock.setTimer(100, () => fired.push(kernel.nowMs));
    kernel.at(50, 'sleeps', () => process.stop());
    kernel.at(1_050, 'wakes', () => {
      process.clock.suspended(1_000);
      process.resume();
    });
    await kernel.runUntil(2_000);
    // The 50 ms that were left pass after it wakes; the held timer of before finds that its time has not come.
    expect(fired).toEqual([1_100]);
    expect(process.clock.monotonicMs()).toBe(2_000);
    expect(process.clock.wallMs()).toBe(7_000);
  });

  it('a stopped process hears everything when it goes on, late and in order; a dead one nothing', async () => {
    const kernel = kernelOf();
    const [stopped, dead] = [processOf(kernel), processOf(kernel)];
    const heard: string[] = [];
    for (const delayMs of [10, 20, 30]) {
      stopped.clock.setTimer(delayMs, () => heard.push(`${delayMs}@${kernel.nowMs}`));
      dead.clock.setTimer(delayMs, () => heard.push('dead'));
    }
    kernel.at(5, 'both', () => {
      stopped.stop();
      dead.kill();
    });
    kernel.at(25, 'goes on', () => {
      stopped.resume();
      dead.resume();
    });
    await kernel.runUntil(100);
    expect(heard).toEqual(['10@25', '20@25', '30@30']);
  });
});
