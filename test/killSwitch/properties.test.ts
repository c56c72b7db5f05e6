import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';
import { answers, DOUBT, HALTED, NOTHING, OFF, ScriptedSource, staged } from './support.js';

describe('under anything', () => {
  type Step =
    | { readonly do: 'say'; readonly source: number; readonly says: number }
    | { readonly do: 'hold' | 'release'; readonly source: number }
    | { readonly do: 'hint'; readonly source: number }
    | { readonly do: 'advance' | 'stall' | 'step'; readonly ms: number };

  const source = fc.nat(1);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('say' as const), source, says: fc.nat(3) }),
    fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), source }),
    fc.record({ do: fc.constant('hint' as const), source }),
    fc.record({ do: fc.constantFrom('advance' as const, 'stall' as const), ms: fc.nat(1_500) }),
    fc.record({ do: fc.constant('step' as const), ms: fc.integer({ min: -2_000, max: 2_000 }) }),
  );

  /** The rule once more, over what the sources saw of their reads. */
  function mayPass(sources: readonly ScriptedSource[], clock: ManualClock): boolean {
    const last = sources.map(({ records }) => records.findLast(({ answer, signal }) => answer !== undefined || signal.aborted));
    const fresh = last.every((read) => {
      if (read?.answer === undefined) return false;
      const ageMs = clock.monotonicMs() - read.beganMs;
      return ageMs <= 1_000 && Math.abs(clock.wallMs() - read.beganWallMs - ageMs) <= 250;
    });
    const says = last.map((read) => read?.answer?.says);
    return fresh && says.includes('off') && says.every((one) => one === 'off' || one === 'nothing');
  }

  it('S1 S3: orders pass exactly while every source last said off or nothing, in a read that began within maxStalenessMs', async () => {
    const makers = [OFF, HALTED, DOUBT, NOTHING] as const;
    let passed = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const sources = [new ScriptedSource('a'), new ScriptedSource('b', NOTHING('b'))] as const;
        const stage = await staged(sources);
        const { clock, killSwitch } = stage;
        const judge = () => {
          const expected = mayPass(sources, clock);
          if (expected) passed += 1;
          else refused += 1;
          expect(answers(stage)).toBe(expected ? 'off' : 'halted');
        };
        const act = async (one: Step) => {
          if ('ms' in one) {
            if (one.do === 'advance') return clock.advance(one.ms);
            if (one.do === 'step') return clock.stepWall(one.ms);
            const stalled = clock.stall(one.ms);
            judge();
            return stalled;
          }
          const target = sources[one.source === 0 ? 0 : 1];
          if (one.do === 'say') target.opinion = (makers[one.says] ?? OFF)(target.name);
          else if (one.do === 'hint') target.context?.changed();
          else target.hold = one.do === 'hold';
          if (one.do === 'release') target.answerAll(target.opinion);
          return clock.advance(0);
        };
        for (const one of steps) {
          await act(one);
          judge();
        }
        // And it comes back by itself once all is well.
        for (const one of sources) {
          one.hold = false;
          one.opinion = OFF(one.name);
          one.answerAll(one.opinion);
        }
        await clock.advance(2_500);
        expect(answers(stage)).toBe('off');
        await killSwitch.close();
      }),
      { seed: fcSeed, numRuns: 200 },
    );
    expect([passed > 300, refused > 300]).toEqual([true, true]);
  });
});
