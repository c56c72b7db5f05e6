/** Faults other than a death: brains that lie, venues that misbehave, panics that are lost, doubled or old, clocks that step. */
import { systemClock } from '../../clock.js';
import { bookAt } from '../../rig/books.js';
import { appendPanicAgain } from '../again.js';
import { ACCOUNT } from '../cast.js';
import type { Conductor } from '../conductor.js';
import * as exit from '../judge/exitChecks.js';
import * as stop from '../judge/stopChecks.js';
import * as watch from '../judge/watchChecks.js';
import type { Fault } from '../options.js';
import { DEAD_BRAIN_CHECKS, killBrain, noFault } from './kills.js';
import type { Scenario } from './scenario.js';
import { EXIT_CHECKS, RECORD_CHECKS, STOP_CHECKS, settle, stayQuiet, trade, unguarded } from './stage.js';

const frozenLoop: Scenario = {
  name: 'frozen-loop',
  summary: 'the decision loop hangs while its process goes on beating',
  checks: [...STOP_CHECKS, watch.liesSeen, watch.accusedAs('EXIT_BRAIN_DEGRADED'), ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => exitBrain.decisionStallMs + exitBrain.intervalMs + watchdog.rules.degradedMs,
  run: async (conductor) => {
    await trade(conductor);
    conductor.marks.faultMs = await conductor.trigger('the decision loop hangs');
    await settle(conductor, frozenLoop.detectionMs(conductor.timings));
  },
};

const staleDecisions: Scenario = {
  name: 'stale-decisions',
  summary: 'the decision loop hangs, and the heartbeat goes on to say OK',
  checks: [...STOP_CHECKS, watch.panicInTime, watch.accusedAs('EXIT_BRAIN_DECISION_STALE'), ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => exitBrain.decideMs + exitBrain.intervalMs + watchdog.rules.decisionStaleMs,
  run: async (conductor) => {
    await trade(conductor);
    conductor.marks.faultMs = await conductor.trigger('the decision loop hangs, and nobody owns up to it');
    await settle(conductor, staleDecisions.detectionMs(conductor.timings));
  },
};

const brainDegraded: Scenario = {
  name: 'brain-degraded',
  summary: 'every evaluation of the exit brain fails',
  checks: [...STOP_CHECKS, watch.panicInTime, watch.accusedAs('EXIT_BRAIN_DEGRADED'), ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => exitBrain.decideMs + exitBrain.intervalMs + watchdog.rules.degradedMs,
  run: async (conductor) => {
    await trade(conductor);
    conductor.marks.faultMs = await conductor.trigger('every evaluation fails');
    await settle(conductor, brainDegraded.detectionMs(conductor.timings));
  },
};

/** Lives that the brain is given at most: more than the rule tolerates. */
const LIVES = 8;

const flapping: Scenario = {
  name: 'flapping',
  summary: 'the exit brain dies and comes back, again and again, each time before it is missed',
  checks: [...STOP_CHECKS, watch.panicInTime, watch.accusedAs('EXIT_BRAIN_FLAPPING'), ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => LIVES * (exitBrain.intervalMs + watchdog.rules.unguardedMs),
  run: async (conductor) => {
    let { brain } = await trade(conductor);
    conductor.marks.faultMs = systemClock.monotonicMs();
    for (let lives = 0; lives < LIVES && conductor.sight.panics.length === 0; lives++) {
      // The next life beats before the last one ends, so that no gap is long enough to be missed.
      const next = await conductor.cast.brain();
      const generations = () => new Set(conductor.sight.brainBeats.map(({ value }) => value.generation)).size;
      await conductor.waitFor(3_000, () => generations() >= lives + 2);
      conductor.strike(brain, 'SIGKILL');
      brain = next;
    }
    await settle(conductor, flapping.detectionMs(conductor.timings));
  },
};

const flatBrainKilled: Scenario = {
  name: 'flat-brain-killed',
  summary: 'an expected exit brain dies while the book is flat',
  checks: [
    watch.panicInTime,
    watch.accusedAs('EXIT_BRAIN_HEARTBEAT_MISSING'),
    exit.panicCarriedOut,
    exit.haltLatched,
    watch.oneIncident,
    watch.alerted,
  ],
  detectionMs: ({ watchdog }) => watchdog.rules.missingMs,
  run: async (conductor) => {
    const { cast } = conductor;
    const [brain] = await Promise.all([cast.brain(), cast.watchdog(), cast.worker()]);
    await conductor.armAndTrade({ flat: true });
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, flatBrainKilled.detectionMs(conductor.timings));
  },
};

/** The brain is killed while the venue misbehaves towards the exit. */
function atBadVenue(name: Fault, summary: string, misbehave: (conductor: Conductor) => Promise<void>): Scenario {
  return {
    name,
    summary,
    checks: [...STOP_CHECKS, watch.panicInTime, ...EXIT_CHECKS, ...RECORD_CHECKS],
    detectionMs: unguarded,
    run: async (conductor) => {
      const { brain } = await trade(conductor);
      await misbehave(conductor);
      conductor.marks.faultMs = conductor.strike(brain);
      await settle(conductor, unguarded(conductor.timings));
    },
  };
}

/** The names that workers of this drill bear in the venue's books. */
const WORKERS = ['exit-worker-1', 'exit-worker-2'];

const readFailures = atBadVenue('read-failures', 'positions and orders cannot be read for a while', async (conductor) => {
  const { timings, cast } = conductor;
  const forMs = unguarded(timings) + timings.lease.ttlMs + timings.brokerTimeoutMs + 1_500;
  await cast.venue.setSwitches({ readFailures: { forMs, sources: WORKERS } });
});

const expiredCloses = atBadVenue('expired-closes', 'the first closes are accepted and expire with nothing filled', async ({ cast }) => {
  await cast.venue.setSwitches({ expireMarketOrders: { next: 5, sources: WORKERS } });
});

const lostAnswers = atBadVenue(
  'lost-answers',
  'closes take effect, their answers are lost, and reduce-only is ignored',
  async ({ cast, timings }) => {
    // Executed only after the sender has given up waiting: the position still stands when it looks again.
    const executionDelayMs = 2 * timings.brokerTimeoutMs;
    await cast.venue.setSwitches({ reduceOnly: 'ignored', executionDelayMs, dropAnswers: { next: 3, of: ['submit'], sources: WORKERS } });
  },
);

const lostPanic: Scenario = {
  ...killBrain,
  name: 'lost-panic',
  summary: 'the first panic does not reach the bus',
  checks: DEAD_BRAIN_CHECKS,
};

const panicTwice: Scenario = {
  ...killBrain,
  name: 'panic-twice',
  summary: 'the same panic is delivered twice, and the venue ignores reduce-only',
  checks: [...STOP_CHECKS, watch.panicInTime, ...EXIT_CHECKS, ...RECORD_CHECKS],
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    await conductor.cast.venue.setSwitches({ reduceOnly: 'ignored' });
    conductor.marks.faultMs = conductor.strike(brain);
    await conductor.waitFor(unguarded(conductor.timings) + 1_500, () => conductor.sight.panics.length > 0);
    await appendPanicAgain(conductor.cast.bus);
    await settle(conductor, unguarded(conductor.timings));
  },
};

const wallStep: Scenario = {
  ...noFault,
  name: 'wall-step',
  summary: "the watchdog's wall clock steps an hour ahead and then an hour back while all is well",
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    await stayQuiet(conductor, () => stepWall(conductor));
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
  },
};

async function stepWall(conductor: Conductor): Promise<void> {
  await conductor.trigger('the wall clock of the watchdog steps an hour ahead, and then back');
}

/** Longer than any threshold of the watchdog, shorter than a suspended lease may last. */
const STOPPED_MS = 8_000;

const stoppedWatchdog: Scenario = {
  ...noFault,
  name: 'stopped-watchdog',
  summary: 'the watchdog itself is stopped and continued, twice, and its wall clock steps, while all is well',
  run: async (conductor) => {
    const { brain, watchdog } = await trade(conductor);
    await stayQuiet(conductor, async () => {
      await stepWall(conductor);
      for (let times = 0; times < 2; times++) {
        conductor.strike(watchdog, 'SIGSTOP');
        await conductor.sleep(STOPPED_MS / conductor.timings.scale);
        conductor.strike(watchdog, 'SIGCONT');
        await conductor.sleep(STOPPED_MS / conductor.timings.scale);
      }
    });
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
  },
};

const oldPanic: Scenario = {
  name: 'old-panic',
  summary: 'no worker is there when the panic comes; one is started when the panic is more than a minute old',
  checks: [
    stop.load,
    stop.nothingForgotten,
    exit.haltFirst,
    exit.neverWorse,
    exit.bookFlat,
    exit.panicCarriedOut,
    exit.haltLatched,
    watch.alerted,
  ],
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain, watchdog, worker } = await trade(conductor);
    conductor.strike(worker, 'SIGKILL');
    conductor.marks.faultMs = conductor.strike(brain);
    await conductor.waitFor(unguarded(conductor.timings) + 1_500, () => conductor.sight.panics.length > 0);
    await conductor.waitFor(1_000, () => conductor.cast.alerts.received.length > 0);
    // Without its sender the panic on the bus is all that is left of it.
    conductor.strike(watchdog, 'SIGKILL');
    const ageMs = (conductor.timings.exitWorker.panicAgeAlarmMs * 11) / 10;
    conductor.say(`nobody takes it up for ${Math.round(ageMs)} ms`);
    await conductor.sleep(ageMs);
    await conductor.cast.worker();
    await settle(conductor, 0);
    conductor.say(`${bookAt(conductor.events(), ACCOUNT).positions.size} positions are left`);
  },
};

export const FAULT_SCENARIOS: Readonly<Record<Fault, Scenario>> = {
  'brain-degraded': brainDegraded,
  'frozen-loop': frozenLoop,
  'stale-decisions': staleDecisions,
  flapping,
  'flat-brain-killed': flatBrainKilled,
  'read-failures': readFailures,
  'expired-closes': expiredCloses,
  'lost-panic': lostPanic,
  'panic-twice': panicTwice,
  'wall-step': wallStep,
  'stopped-watchdog': stoppedWatchdog,
  'old-panic': oldPanic,
  'lost-answers': lostAnswers,
};
