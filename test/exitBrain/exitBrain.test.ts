import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AppendOutcome, type Bus, FROM_START } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { createExitBrain, type ExitBrain } from '../../src/exitBrain/exitBrain.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { faultyBus } from '../watchdog/scene.js';

const seed = Number(process.env['FC_SEED'] ?? 20_264);

async function beatsOn(bus: Bus): Promise<BrainBeat[]> {
  const { records } = await bus.read(EXIT_BRAIN_HEARTBEAT, FROM_START);
  return records.map((record) => {
    const decoded = decodeBrainBeat(record.fields);
    if (!decoded.ok) throw new Error(decoded.problem);
    return decoded.value;
  });
}

function start(options: { intervalMs?: number } = {}, wrap = (bus: Bus) => bus): { clock: ManualClock; bus: Bus; brain: ExitBrain } {
  const clock = new ManualClock();
  const memory = createMemoryBus({ clock });
  const bus = memory.handle();
  return { clock, bus, brain: createExitBrain({ bus: wrap(memory.handle()), serviceId: 'brain', clock, ...options }) };
}

describe('exit brain', () => {
  it('beats at once and then every interval, the sequence rising by one', async () => {
    const { clock, bus, brain } = start();
    await clock.advance(10_000);
    const beats = await beatsOn(bus);
    expect(beats.map((beat) => beat.sequence)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    expect(new Set(beats.map((beat) => beat.generation))).toEqual(new Set([brain.generation]));
    await brain.close();
    await clock.advance(10_000);
    expect(await beatsOn(bus)).toHaveLength(11);
  });

  it('S11: the decision sequence is the number of completed evaluations, never more', async () => {
    const act = fc.constantFrom('decide', 'wait', 'degrade', 'nonsense');
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        const { clock, bus, brain } = start();
        let decisions = 0;
        for (const done of acts) {
          if (done === 'wait') await clock.advance(700);
          else if (done === 'degrade') brain.degraded('slow data');
          else brain.decided({ activePositions: done === 'decide' ? 2 : Number.NaN });
          if (done === 'decide') decisions += 1;
          for (const beat of await beatsOn(bus)) expect(beat.decisionSequence).toBeLessThanOrEqual(decisions);
        }
        await clock.advance(1_000);
        const last = (await beatsOn(bus)).at(-1);
        expect(last?.decisionSequence).toBe(decisions);
        const lastWord = acts.findLast((done) => done !== 'wait');
        expect(last?.status).toBe(lastWord === 'degrade' || lastWord === 'nonsense' ? 'DEGRADED' : 'OK');
        await brain.close();
      }),
      { seed, numRuns: 30 },
    );
  });

  it('S11: with positions open and no decision for decisionStallMs the beats say DEGRADED by themselves; flat they do not', async () => {
    for (const activePositions of [0, 1]) {
      const { clock, bus, brain } = start();
      brain.decided({ activePositions });
      await clock.advance(9_500);
      expect((await beatsOn(bus)).every((beat) => beat.status === 'OK')).toBe(true);
      await clock.advance(1_500);
      expect((await beatsOn(bus)).at(-1)?.status).toBe(activePositions > 0 ? 'DEGRADED' : 'OK');
      brain.decided({ activePositions });
      await clock.advance(1_000);
      expect((await beatsOn(bus)).at(-1)?.status).toBe('OK');
      await brain.close();
    }
  });

  it('trap 32: no stale beat is ever sent: each expires with its interval, and an outage leaves no backlog', async () => {
    const clock = new ManualClock();
    const memory = createMemoryBus({ clock });
    const bus = memory.handle();
    let hold: (() => void)[] | undefined = [];
    const slow = faultyBus(memory.handle(), {
      append: async (_stream, pass): Promise<AppendOutcome> => {
        if (hold !== undefined) await new Promise<void>((resolve) => hold?.push(resolve));
        return pass();
      },
    });
    const brain = createExitBrain({ bus: slow, serviceId: 'brain', clock });
    await clock.advance(20_500);
    const held = hold;
    hold = undefined;
    for (const release of held) release();
    await clock.advance(0);
    expect((await beatsOn(bus)).map((beat) => beat.sequence)).toEqual([21]);
    await brain.close();
  });

  it('S13: a bus that refuses, throws or never answers neither throws into the loop nor stops the beats', async () => {
    const answers: (() => Promise<AppendOutcome>)[] = [
      () => Promise.reject(new Error('broken')),
      (): never => {
        throw new Error('broken at once');
      },
      () => new Promise<AppendOutcome>(() => undefined),
      () => Promise.resolve({ outcome: 'unknown', detail: 'no answer' }),
    ];
    for (const answer of answers) {
      let attempts = 0;
      const { clock, brain } = start({}, (bus) =>
        faultyBus(bus, {
          append: () => {
            attempts += 1;
            return answer();
          },
        }),
      );
      for (let i = 0; i < 5; i += 1) {
        brain.decided({ activePositions: i % 2 });
        brain.degraded('test');
        await clock.advance(1_000);
      }
      expect(attempts).toBeGreaterThanOrEqual(6);
      void brain.close();
    }
  });

  it('goodbye is the last beat, once, whoever asks again', async () => {
    const { clock, bus, brain } = start();
    brain.decided({ activePositions: 1 });
    await clock.advance(1_500);
    const outcomes = await Promise.all([brain.goodbye(), brain.goodbye()]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['committed', 'committed']);
    brain.decided({ activePositions: 0 });
    await clock.advance(5_000);
    const beats = await beatsOn(bus);
    expect(beats.filter((beat) => beat.status === 'GOODBYE')).toHaveLength(1);
    expect(beats.at(-1)?.status).toBe('GOODBYE');
    await brain.close();
  });

  it('wrong options name field, value and bound', () => {
    const { bus } = start();
    expect(() => createExitBrain({ bus, serviceId: 'a b' })).toThrow(/^serviceId = "a b": must be 1 to 100/);
    expect(() => createExitBrain({ bus, serviceId: 'b', intervalMs: 1 })).toThrow(/^intervalMs = 1: must be a finite number between 10/);
  });
});
