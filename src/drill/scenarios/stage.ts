/** What the scenarios have in common: the checks that belong together, and the steps of a run. */
import { systemClock } from '../../clock.js';
import { type Child, RigError } from '../../rig/child.js';
import type { ScaledTimings } from '../../roles/scale.js';
import type { Conductor } from '../conductor.js';
import * as exit from '../judge/exitChecks.js';
import * as stop from '../judge/stopChecks.js';
import * as watch from '../judge/watchChecks.js';
import type { Scenario } from './scenario.js';

/** Attempts that the strategy must make after the halt before the run ends. */
export const ATTEMPTS_AFTER_HALT = 25;

export const STOP_CHECKS = [stop.load, stop.noOrderAfterHalt, stop.nothingForgotten];
export const EXIT_CHECKS = [exit.haltFirst, exit.neverWorse, exit.bookFlat, exit.flatNotEarly, exit.panicCarriedOut, exit.haltLatched];
export const RECORD_CHECKS = [watch.oneIncident, watch.alerted, watch.recordComplete];

/** Of a run in which somebody loses the bus with everyone alive, and then the brain dies. */
export const outageChecks = (stopsTrading: boolean): Scenario['checks'] => [
  stop.outageLapses(stopsTrading),
  watch.noPanicInOutage,
  stop.leaseReturns,
  ...STOP_CHECKS,
  watch.panicInTime,
  ...EXIT_CHECKS,
  exit.flatInTime,
  ...RECORD_CHECKS,
];

export const unguarded = (timings: ScaledTimings): number => timings.watchdog.rules.unguardedMs;

/** Brain, watchdog and worker, then trading. */
export async function trade(conductor: Conductor): Promise<{ readonly brain: Child; readonly watchdog: Child; readonly worker: Child }> {
  const { cast } = conductor;
  const [brain, watchdog, worker] = await Promise.all([cast.brain(), cast.watchdog(), cast.worker(), cast.strategy()]);
  await conductor.armAndTrade();
  return { brain, watchdog, worker };
}

/** Until `flat`, attempts after the halt, and a little longer: what refills would do so now. */
export async function settle(conductor: Conductor, detectionMs: number): Promise<void> {
  const { timings } = conductor;
  const horizonMs = timings.lease.ttlMs + timings.brokerTimeoutMs;
  // What is later than this is no panic in time, and without one nothing follows that could be waited for.
  if (!(await conductor.waitFor(detectionMs + 1_500, () => conductor.sight.panics.length > 0))) return;
  const { claimMs, deadlineMs } = timings.exitWorker;
  const flat = await conductor.waitFor(horizonMs + claimMs * 2 + deadlineMs / 2 + 2_500, () =>
    conductor.sight.completions.some(({ value }) => value.verdict === 'flat'),
  );
  if (flat) await conductor.untilAcknowledged(claimMs * 2 + 1_000);
  await enoughAttempts(conductor);
  await conductor.sleep(200);
}

/** After an outage, until orders are admitted again and beats have come. Answers whether they were. */
export async function untilTradingReturns(
  conductor: Conductor,
  outage: { readonly fromMs: number; readonly untilMs: number },
  returnMs: number,
): Promise<boolean> {
  conductor.marks.outage = outage;
  const admitted = () => conductor.attempts().some(({ value }) => value.atMs > outage.untilMs && value.result === 'admitted');
  const isBack = await conductor.waitFor(returnMs, admitted);
  await conductor.sleep(conductor.timings.exitBrain.intervalMs * 3);
  return isBack;
}

async function enoughAttempts(conductor: Conductor): Promise<void> {
  const halted = conductor.sight.states.find(({ value }) => value.halts.some((halt) => halt.kind === 'exit'));
  if (halted === undefined || conductor.attempts().length === 0) return;
  await conductor.waitFor(3_000, () => conductor.attempts().filter(({ value }) => value.atMs > halted.atMs).length >= ATTEMPTS_AFTER_HALT);
}

async function untilFirstClose(conductor: Conductor): Promise<void> {
  if (await conductor.waitFor(10_000, () => conductor.exitFills().length > 0)) return;
  throw new RigError('the exit never closed anything, so its worker could not be struck in the middle of it');
}

export async function strikeWorkerMidway(conductor: Conductor, worker: Child): Promise<void> {
  await untilFirstClose(conductor);
  conductor.marks.workerKilledMs = conductor.strike(worker);
  conductor.pendingWhenWorkerDied = await conductor.pendingPanics();
}

/** A stopped process that wakes up late must find that it has nothing to do any more. */
export async function wake(conductor: Conductor, child: Child): Promise<void> {
  if (conductor.drill.signal !== 'SIGSTOP') return;
  conductor.strike(child, 'SIGCONT');
  await conductor.sleep(500);
}

/** Nothing may happen meanwhile, whatever `disturb` does. */
export async function stayQuiet(conductor: Conductor, disturb: () => Promise<void> = async () => {}): Promise<void> {
  const fromMs = systemClock.monotonicMs();
  const quietForMs = conductor.drill.quietForMs ?? 3 * conductor.timings.watchdog.rules.missingMs;
  conductor.say(`quiet for ${Math.round(quietForMs)} ms`);
  await disturb();
  await conductor.sleep(Math.max(0, fromMs + quietForMs - systemClock.monotonicMs()));
  conductor.marks.quiet = { fromMs, untilMs: systemClock.monotonicMs() };
}
