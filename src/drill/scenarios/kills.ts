/** Deaths of one or two processes, and the run in which nobody dies until the end. */
import { systemClock } from '../../clock.js';
import { panicClose } from '../../emergencyExit/panicClose.js';
import { RigError } from '../../rig/child.js';
import { ACCOUNT } from '../cast.js';
import * as exit from '../judge/exitChecks.js';
import * as stop from '../judge/stopChecks.js';
import * as watch from '../judge/watchChecks.js';
import type { Kill } from '../options.js';
import { killBusMaster } from './busMaster.js';
import type { Scenario } from './scenario.js';
import {
  ATTEMPTS_AFTER_HALT,
  EXIT_CHECKS,
  RECORD_CHECKS,
  STOP_CHECKS,
  settle,
  stayQuiet,
  strikeWorkerMidway,
  trade,
  unguarded,
  wake,
} from './stage.js';

/** What every exit after a dead brain is held to. */
export const DEAD_BRAIN_CHECKS = [
  ...STOP_CHECKS,
  watch.panicInTime,
  watch.accusedAs('EXIT_BRAIN_UNGUARDED'),
  ...EXIT_CHECKS,
  exit.flatInTime,
  ...RECORD_CHECKS,
];

export const killBrain: Scenario = {
  name: 'kill brain',
  summary: 'the exit brain dies with positions open',
  checks: [...DEAD_BRAIN_CHECKS, exit.bookEmptyInTime],
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
    await conductor.sleep(ttlMs + peerLivenessMs);
    await conductor.waitFor(
      3_000,
      () => conductor.attempts().filter(({ value }) => value.atMs > killedMs).length >= ATTEMPTS_AFTER_HALT + 20,
    );
    const second = await conductor.cast.watchdog();
    conductor.say(`${second.name} has taken its place`);
    const beatsBefore = conductor.sight.watchdogBeats.length;
    await conductor.until('beats of the second watchdog', 5_000, () => conductor.sight.watchdogBeats.length > beatsBefore + 4);
    await conductor.sleep(conductor.timings.exitBrain.intervalMs * 2);
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
  },
};

export const KILL_SCENARIOS: Readonly<Record<Kill, Scenario>> = {
  brain: killBrain,
  worker: killWorker,
  watchdog: killWatchdog,
  'brain+worker': killBrainAndWorker,
  'bus-master': killBusMaster,
};

export const noFault: Scenario = {
  name: 'no fault',
  summary: 'nothing happens for three thresholds; then the same processes panic for a killed brain',
  checks: [watch.quiet, ...DEAD_BRAIN_CHECKS],
  detectionMs: unguarded,
  run: async (conductor) => {
    const { brain } = await trade(conductor);
    await stayQuiet(conductor);
    conductor.marks.faultMs = conductor.strike(brain);
    await settle(conductor, unguarded(conductor.timings));
  },
};
