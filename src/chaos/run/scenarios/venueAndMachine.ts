/** The brain dies at the worst moment: at a frozen venue, on a machine without a free processor, beside a clock that jumps. */
import { availableParallelism } from 'node:os';
import { systemClock } from '../../../clock.js';
import * as watch from '../../../drill/judge/watchChecks.js';
import { settle, stayQuiet, unguarded } from '../../../drill/scenarios/stage.js';
import { burnProgram } from '../../capabilities/burn.js';
import { busyShare, machineTicks } from '../../capabilities/procStat.js';
import { runNode } from '../../capabilities/run.js';
import { isFlatAndHalted } from '../promisedState.js';
import type { ChaosScenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import { byPanic, NEVER_IN_PANIC, PANIC_SAFEGUARDS, silenceDose } from './silentBrain.js';
import { SKEW_TARGET_MS, skewOf } from './skew.js';

const isStopped = (state: string | undefined): boolean => state === 'T' || state === 't';

const PANIC: Pick<ChaosScenario, 'panicDue' | 'mustFire' | 'mustNotFire' | 'failClosed'> = {
  panicDue: true,
  mustFire: PANIC_SAFEGUARDS,
  mustNotFire: NEVER_IN_PANIC,
  failClosed: byPanic,
};

async function untilFlatAndGuarded(stage: Stage): Promise<void> {
  await stage.conductor.cast.brain();
  stage.endedMs = systemClock.monotonicMs();
  await stage.untilRecovered(() => isFlatAndHalted(stage.conductor, stage.endedMs ?? Infinity));
}

/** Longer than a call to the broker may take. */
const FROZEN_BEYOND_MS = 500;

export const frozenVenue: ChaosScenario = {
  ...PANIC,
  name: 'frozen_venue',
  summary: 'the venue stands still when the exit brain dies, and goes on when the panic is already under way',
  buses: ['journal', 'redis'],
  needs: ['signals', 'proc'],
  sabotage: { name: 'halt-last', red: 'S1.halt-first' },
  run: async (stage) => {
    const { conductor } = stage;
    const { brain } = await stage.trade();
    const { venueProcess } = conductor.cast;
    conductor.marks.faultMs = conductor.strike(brain, 'SIGKILL');
    conductor.strike(venueProcess, 'SIGSTOP');
    const frozenMs = await stage.untilProcess(venueProcess, isStopped);
    stage.onsetMs = frozenMs;
    await conductor.waitFor(unguarded(conductor.timings) + 1_500, () => conductor.sight.panics.length > 0);
    // The exit meets a venue that says nothing: what it cannot read it must not take for flat.
    await conductor.sleep(conductor.timings.brokerTimeoutMs + FROZEN_BEYOND_MS);
    conductor.strike(venueProcess, 'SIGCONT');
    const goneOnMs = await stage.untilProcess(venueProcess, (state) => !isStopped(state));
    stage.doses.push({
      what: 'time in which the venue stood still',
      target: Math.round(unguarded(conductor.timings)),
      measured: Math.round(goneOnMs - frozenMs),
      unit: 'ms',
    });
    await settle(conductor, unguarded(conductor.timings));
    await untilFlatAndGuarded(stage);
  },
};

const FULL_LOAD_PERCENT = 95;
/** Nothing may happen before the death: the load alone is no reason to panic. */
const LOADED_MS = 5_000;

export const cpuExhaustion: ChaosScenario = {
  ...PANIC,
  mustNotFire: [...NEVER_IN_PANIC, watch.quiet],
  name: 'cpu_exhaustion',
  summary: 'others keep every processor busy; nobody may panic for that, and when the exit brain dies meanwhile, the panic still comes',
  buses: ['journal', 'redis'],
  needs: ['cpu-load', 'proc', 'signals'],
  sabotage: { name: 'no-watchdog', red: 'L1' },
  run: async (stage) => {
    const { conductor } = stage;
    const { brain } = await stage.trade();
    const forMs = LOADED_MS + unguarded(conductor.timings) + 2_000;
    const burning = runNode(burnProgram(availableParallelism(), forMs), { limitMs: forMs + 5_000 });
    await conductor.sleep(300);
    const from = await machineTicks();
    stage.onsetMs = systemClock.monotonicMs();
    await conductor.sleep(LOADED_MS);
    conductor.marks.quiet = { fromMs: stage.onsetMs, untilMs: systemClock.monotonicMs() };
    conductor.marks.faultMs = conductor.strike(brain, 'SIGKILL');
    await conductor.waitFor(unguarded(conductor.timings) + 1_500, () => conductor.sight.panics.length > 0);
    const until = await machineTicks();
    const share = from === undefined || until === undefined ? 0 : busyShare(from, until);
    stage.doses.push({ what: 'processors that were busy', target: FULL_LOAD_PERCENT, measured: Math.round(share * 100), unit: '%' });
    await burning;
    silenceDose(stage, conductor.marks.faultMs, systemClock.monotonicMs());
    await settle(conductor, unguarded(conductor.timings));
    await untilFlatAndGuarded(stage);
  },
};

export const clockSkew: ChaosScenario = {
  ...PANIC,
  mustNotFire: [...NEVER_IN_PANIC, watch.quiet],
  name: 'clock_skew',
  summary:
    'the wall clock of the watchdog jumps an hour ahead and an hour back; nobody may panic for that, and a death is still seen in time',
  buses: ['journal', 'redis'],
  needs: [],
  sabotage: { name: 'wall-clock-age', red: 'L1' },
  variants: new Map([['watchdog', { fault: 'wall-step' }]]),
  run: async (stage) => {
    const { conductor } = stage;
    const { brain } = await stage.trade();
    stage.onsetMs = await conductor.trigger('the wall clock of the watchdog steps an hour ahead, and then back');
    const skewMs = await skewOf(stage);
    stage.doses.push({
      what: 'distance of the wall clock of the watchdog from that of its reader',
      target: SKEW_TARGET_MS,
      measured: Math.round(skewMs),
      unit: 'ms',
    });
    await stayQuiet(conductor);
    conductor.marks.faultMs = conductor.strike(brain, 'SIGKILL');
    await settle(conductor, unguarded(conductor.timings));
    await untilFlatAndGuarded(stage);
  },
};
