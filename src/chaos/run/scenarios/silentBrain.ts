/** Whatever silences the exit brain while positions are open: the watchdog must see it, and the book must end flat. */
import { systemClock } from '../../../clock.js';
import { type Evidence, firstPanic, TOLERANCE_MS } from '../../../drill/judge/evidence.js';
import * as exit from '../../../drill/judge/exitChecks.js';
import * as stop from '../../../drill/judge/stopChecks.js';
import * as watch from '../../../drill/judge/watchChecks.js';
import { settle, unguarded } from '../../../drill/scenarios/stage.js';
import { isFlatAndHalted } from '../promisedState.js';
import { noCloseUnasked } from '../safeguards.js';
import type { ChaosScenario } from '../scenario.js';
import type { Actors, Stage } from '../stage.js';

export const PANIC_SAFEGUARDS = [
  watch.panicInTime,
  watch.accusedAs('EXIT_BRAIN_UNGUARDED'),
  stop.noOrderAfterHalt,
  exit.haltFirst,
  exit.bookFlat,
  exit.panicCarriedOut,
  exit.haltLatched,
  watch.alerted,
];
export const NEVER_IN_PANIC = [stop.nothingForgotten, exit.neverWorse, watch.oneIncident, noCloseUnasked];

/** From the moment of the fault as the conductor marked it, which may come after a time in which nothing may happen. */
export const byPanic: NonNullable<ChaosScenario['failClosed']> = {
  promise: 'L1',
  boundMs: (timings) => unguarded(timings) + TOLERANCE_MS,
  activatedAtMs: (evidence: Evidence) => firstPanic(evidence)?.atMs,
};

/** Beats of the brain that were seen within the fault: one that is silenced gives none. One may have been under way. */
export function silenceDose(stage: Stage, fromMs: number, untilMs: number): void {
  const { exitBrain } = stage.conductor.timings;
  const beats = stage.conductor.sight.brainBeats.filter(({ atMs }) => atMs > fromMs + exitBrain.intervalMs && atMs < untilMs).length;
  stage.doses.push({
    what: 'silence of the exit brain',
    target: Math.round(unguarded(stage.conductor.timings)),
    measured: beats === 0 ? Math.round(untilMs - fromMs) : 0,
    unit: 'ms',
  });
}

interface Silence
  extends Pick<ChaosScenario, 'name' | 'summary' | 'needs'>,
    Partial<Pick<ChaosScenario, 'buses' | 'variants' | 'sabotage'>> {
  /** Makes the fault; answers when it was seen to be there. */
  readonly begin: (stage: Stage, actors: Actors) => Promise<number>;
  /** Ends it; answers when it was seen to be over. */
  readonly end: (stage: Stage, actors: Actors) => Promise<number>;
  /** Measures more of it. */
  readonly measure?: (stage: Stage, actors: Actors) => Promise<void>;
}

export function silentBrain({ begin, end, measure, ...told }: Silence): ChaosScenario {
  return {
    buses: ['journal', 'redis'],
    sabotage: { name: 'no-watchdog', red: 'L1' },
    ...told,
    panicDue: true,
    mustFire: PANIC_SAFEGUARDS,
    mustNotFire: NEVER_IN_PANIC,
    failClosed: byPanic,
    run: async (stage) => {
      const { conductor } = stage;
      const actors = await stage.trade();
      // Right before it: the promise counts from there.
      conductor.marks.faultMs = systemClock.monotonicMs();
      const onsetMs = await begin(stage, actors);
      stage.onsetMs = onsetMs;
      await settle(conductor, unguarded(conductor.timings));
      silenceDose(stage, onsetMs, systemClock.monotonicMs());
      await measure?.(stage, actors);
      stage.endedMs = await end(stage, actors);
      await stage.untilRecovered(() => isFlatAndHalted(conductor, stage.endedMs ?? Infinity));
    },
  };
}
