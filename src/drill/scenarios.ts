/** The faults of the drill, each with what it waits for and the checks that judge it. */

import { systemClock } from '../clock.js';
import { panicClose } from '../emergencyExit/panicClose.js';
import { bookAt } from '../rig/books.js';
import type { Child } from '../rig/child.js';
import { RigError } from '../rig/child.js';
import type { ScaledTimings } from '../roles/scale.js';
import { appendPanicAgain } from './again.js';
import { ACCOUNT } from './cast.js';
import type { Conductor } from './conductor.js';
import type { Judge } from './judge/evidence.js';
import * as exit from './judge/exitChecks.js';
import * as stop from './judge/stopChecks.js';
import * as watch from './judge/watchChecks.js';
import type { Fault, Kill } from './options.js';

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly checks: readonly Judge[];
  /** How soon after the fault the panic is promised. */
  readonly detectionMs: (timings: ScaledTimings) => number;
  readonly run: (conductor: Conductor) => Promise<void>;
}

/** Attempts that the strategy must make after the halt before the run ends. */
const ATTEMPTS_AFTER_HALT = 25;

const STOP_CHECKS = [stop.load, stop.noOrderAfterHalt, stop.nothingForgotten];
const EXIT_CHECKS = [exit.haltFirst, exit.neverWorse, exit.bookFlat, exit.flatNotEarly, exit.panicCarriedOut, exit.haltLatched];
const RECORD_CHECKS = [watch.oneIncident, watch.alerted, watch.recordComplete];

const unguarded = (timings: ScaledTimings): number => timings.watchdog.rules.unguardedMs ?? 0;

/** Brain, watchdog and worker, then trading. */
async function trade(conductor: Conductor): Promise<{ readonly brain: Child; readonly watchdog: Child; readonly worker: Child }> {
  const { cast } = conductor;
  const [brain, watchdog, worker] = await Promise.all([cast.brain(), cast.watchdog(), cast.worker()]);
  await conductor.armAndTrade();
  return { brain, watchdog, worker };
}

/** Until `flat`, attempts after the halt, and a little longer: what refills would do so now. */
async function settle(conductor: Conductor, detectionMs: number): Promise<void> {
  const { timings } = conductor;
  const horizonMs = timings.lease.ttlMs + timings.brokerTimeoutMs;
  await conductor.waitFor(detectionMs + 1_500, () => conductor.sight.panics.length > 0);
  await conductor.waitFor(horizonMs + timings.exitWorker.claimMs * 2 + timings.exitWorker.deadlineMs / 2 + 2_500, () =>
    conductor.sight.completions.some(({ value }) => value.verdict === 'flat'),
  );
  await enoughAttempts(conductor);
  await systemClock.sleep(300);
}

async function enoughAttempts(conductor: Conductor): Promise<void> {
  const halted = conductor.sight.states.find(({ value }) => value.halts.some((halt) => halt.kind === 'exit'));
  if (halted === undefined) return;
  await conductor.waitFor(3_000, () => conductor.attempts().filter(({ value }) => value.atMs > halted.atMs).length >= ATTEMPTS_AFTER_HALT);
}

async function untilFirstClose(conductor: Conductor): Promise<void> {
  if (await conductor.waitFor(10_000, () => conductor.exitFills().length > 0)) return;
  throw new RigError('the exit never closed anything, so its worker could not be struck in the middle of it');
}

async function strikeWorkerMidway(conductor: Conductor, worker: Child): Promise<void> {
  await untilFirstClose(conductor);
  conductor.marks.workerKilledMs = conductor.strike(worker);
  conductor.pendingWhenWorkerDied = await conductor.pendingPanics();
}

/** A stopped process that wakes up late must find that it has nothing to do any more. */
async function wake(conductor: Conductor, child: Child): Promise<void> {
  if (conductor.drill.signal !== 'SIGSTOP') return;
  conductor.strike(child, 'SIGCONT');
  await systemClock.sleep(500);
}

const killBrain: Scenario = {
  name: 'kill brain',
  summary: 'the exit brain dies with positions open',
  checks: [...STOP_CHECKS, watch.panicInTime, ...EXIT_CHECKS, exit.bookEmptyInTime, exit.flatInTime, ...RECORD_CHECKS],
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
    await wake(conductor, brain);
  },
};

const killWorker: Scenario = {
  name: 'kill worker',
  summary: 'an operator gives a panic, and the worker dies after its first close',
  checks: [...STOP_CHECKS, ...EXIT_CHECKS, exit.notAcknowledgedEarly, exit.takenOver, ...RECORD_CHECKS],
  detectionMs: () => 0,
  run: async (conductor) => {
    const { worker } = await trade(conductor);
    await conductor.cast.worker();
    conductor.say('panic_close by command');
    const given = await panicClose(conductor.cast.bus, { reason: 'drill', by: 'drill', scope: ACCOUNT });
    if (given.outcome !== 'committed') throw new RigError(`the panic could not be given: ${given.detail}`);
    conductor.marks.panicGivenMs = (conductor.sight.panics[0]?.atMs ?? systemClock.monotonicMs()) - 1;
    await strikeWorkerMidway(conductor, worker);
    await settle(conductor, 0);
    await wake(conductor, worker);
  },
};

const killBrainAndWorker: Scenario = {
  name: 'kill brain+worker',
  summary: 'the exit brain dies, and then the worker after its first close',
  checks: [...STOP_CHECKS, watch.panicInTime, ...EXIT_CHECKS, exit.notAcknowledgedEarly, exit.takenOver, ...RECORD_CHECKS],
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain, worker } = await trade(conductor);
    await conductor.cast.worker();
    conductor.marks.faultMs = conductor.strike(brain);
    await strikeWorkerMidway(conductor, worker);
    await settle(conductor, unguarded(conductor.timings));
    await wake(conductor, worker);
  },
};

const killWatchdog: Scenario = {
  name: 'kill watchdog',
  summary: 'the watchdog dies: leases lapse; a second one then still panics for a killed brain',
  checks: [...STOP_CHECKS, stop.leaseLapses, watch.panicInTime, ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain, watchdog } = await trade(conductor);
    const killedMs = conductor.strike(watchdog);
    conductor.marks.watchdogKilledMs = killedMs;
    const { ttlMs, peerLivenessMs } = conductor.timings.lease;
    await systemClock.sleep(ttlMs + peerLivenessMs);
    await conductor.waitFor(
      3_000,
      () => conductor.attempts().filter(({ value }) => value.atMs > killedMs).length >= ATTEMPTS_AFTER_HALT + 20,
    );
    const second = await conductor.cast.watchdog();
    conductor.say(`${second.name} has taken its place`);
    const beatsBefore = conductor.sight.watchdogBeats.length;
    await conductor.until('beats of the second watchdog', 5_000, () => conductor.sight.watchdogBeats.length > beatsBefore + 4);
    await systemClock.sleep(conductor.timings.exitBrain.intervalMs * 2);
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
  },
};

export const KILL_SCENARIOS: Readonly<Record<Kill, Scenario>> = {
  brain: killBrain,
  worker: killWorker,
  watchdog: killWatchdog,
  'brain+worker': killBrainAndWorker,
};

export const noFault: Scenario = {
  name: 'no fault',
  summary: 'nothing happens for three thresholds; then the same processes panic for a killed brain',
  checks: [watch.quiet, ...killBrain.checks],
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    await stayQuiet(conductor);
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
  },
};

async function stayQuiet(conductor: Conductor): Promise<void> {
  const fromMs = systemClock.monotonicMs();
  const thresholdMs = conductor.timings.watchdog.rules.missingMs ?? 0;
  conductor.say(`quiet for ${Math.round(3 * thresholdMs)} ms`);
  await systemClock.sleep(3 * thresholdMs);
  conductor.marks.quiet = { fromMs, untilMs: systemClock.monotonicMs() };
}

const frozenLoop: Scenario = {
  name: 'frozen-loop',
  summary: 'the decision loop hangs while its process goes on beating',
  checks: [...STOP_CHECKS, watch.liesSeen, ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => exitBrain.decisionStallMs + exitBrain.intervalMs + (watchdog.rules.degradedMs ?? 0),
  run: async (conductor) => {
    await trade(conductor);
    conductor.marks.faultMs = await conductor.trigger('the decision loop hangs');
    await settle(conductor, frozenLoop.detectionMs(conductor.timings));
  },
};

const brainDegraded: Scenario = {
  name: 'brain-degraded',
  summary: 'every evaluation of the exit brain fails',
  checks: [...STOP_CHECKS, watch.panicInTime, ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => exitBrain.decideMs + exitBrain.intervalMs + (watchdog.rules.degradedMs ?? 0),
  run: async (conductor) => {
    await trade(conductor);
    conductor.marks.faultMs = await conductor.trigger('every evaluation fails');
    await settle(conductor, brainDegraded.detectionMs(conductor.timings));
  },
};

const flapping: Scenario = {
  name: 'flapping',
  summary: 'the exit brain dies and comes back, again and again, each time before it is missed',
  checks: [...STOP_CHECKS, watch.panicInTime, ...EXIT_CHECKS, ...RECORD_CHECKS],
  detectionMs: ({ exitBrain, watchdog }) => 8 * (exitBrain.intervalMs + (watchdog.rules.unguardedMs ?? 0)),
  run: async (conductor) => {
    let { brain } = await trade(conductor);
    conductor.marks.faultMs = systemClock.monotonicMs();
    for (let lives = 0; lives < 8 && conductor.sight.panics.length === 0; lives++) {
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
  checks: [watch.panicInTime, exit.panicCarriedOut, exit.haltLatched, watch.oneIncident, watch.alerted],
  detectionMs: ({ watchdog }) => watchdog.rules.missingMs ?? 0,
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
  async ({ cast }) => {
    await cast.venue.setSwitches({ reduceOnly: 'ignored', dropAnswers: { next: 3, of: ['submit'], sources: WORKERS } });
  },
);

const lostPanic: Scenario = { ...killBrain, name: 'lost-panic', summary: 'the first panic does not reach the bus' };

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
  name: 'wall-step',
  summary: "the watchdog's wall clock steps by an hour while all is well",
  checks: noFault.checks,
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    const fromMs = await conductor.trigger('the wall clock of the watchdog steps one hour ahead');
    await stayQuiet(conductor);
    conductor.marks.quiet = { fromMs, untilMs: systemClock.monotonicMs() };
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
    // Without its sender the panic on the bus is all that is left of it.
    conductor.strike(watchdog, 'SIGKILL');
    const ageMs = (conductor.timings.exitWorker.panicAgeAlarmMs * 11) / 10;
    conductor.say(`nobody takes it up for ${Math.round(ageMs)} ms`);
    await systemClock.sleep(ageMs);
    await conductor.cast.worker();
    await settle(conductor, 0);
    conductor.say(`${bookAt(conductor.events(), ACCOUNT).positions.size} positions are left`);
  },
};

export const FAULT_SCENARIOS: Readonly<Record<Fault, Scenario>> = {
  'brain-degraded': brainDegraded,
  'frozen-loop': frozenLoop,
  flapping,
  'flat-brain-killed': flatBrainKilled,
  'read-failures': readFailures,
  'expired-closes': expiredCloses,
  'lost-panic': lostPanic,
  'panic-twice': panicTwice,
  'wall-step': wallStep,
  'old-panic': oldPanic,
  'lost-answers': lostAnswers,
};
