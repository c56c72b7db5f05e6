/** Runs one schedule: trouble, healing, the death of the brain, and the judgement. */

import { divertRejections } from '../../process/events.js';
import { FaultPlayer, type Stroke } from '../faults/play.js';
import type { Schedule } from '../faults/schedule.js';
import { lastKillMs } from '../faults/schedule.js';
import { LIVENESS_ORACLES } from '../judge/liveness.js';
import { OUTCOME_ORACLES } from '../judge/outcomes.js';
import { reachedIn } from '../judge/reached.js';
import { RECORD_ORACLES } from '../judge/record.js';
import { SAFETY_ORACLES } from '../judge/safety.js';
import { STOP_ORACLES } from '../judge/stops.js';
import { exitLeftBehind } from '../judge/takeover.js';
import type { RunView } from '../judge/view.js';
import type { Violation } from '../judge/violation.js';
import { Witness } from '../judge/witness.js';
import { nextMacrotask } from '../kernel/drain.js';
import { ACCOUNT } from '../world/ground.js';
import { ObserverError } from '../world/observers.js';
import { World, type WorldOptions } from '../world/world.js';

export interface RunOptions extends Pick<WorldOptions, 'parts' | 'drain' | 'strategy' | 'bars'> {
  /** Called before anything begins. */
  readonly prepare?: (world: World) => void;
  /** What is judged beside the promises. */
  readonly oracles?: readonly ((view: RunView) => readonly Violation[])[];
}

export interface RunResult {
  readonly schedule: Schedule;
  readonly violations: readonly Violation[];
  readonly traceHash: string;
  readonly events: number;
  readonly strokes: readonly Stroke[];
  readonly reached: readonly string[];
  readonly witness: Witness;
  readonly world: World;
}

/** Loads what the roles would load when they start: no real time may pass inside simulated time. */
async function preload(): Promise<void> {
  await import('p-limit');
}

/** What observers did that would have ended a process, or what called them. */
async function runWatched({ kernel, setup }: World, endMs: number): Promise<RunView['escaped']> {
  const escaped: { readonly atMs: number; readonly detail: string }[] = [];
  if (!setup.hostileObservers) {
    await kernel.runUntil(endMs);
    return escaped;
  }
  const restore = divertRejections((error) => {
    if (!(error instanceof ObserverError)) return false;
    escaped.push({ atMs: kernel.nowMs, detail: `${error.message}, and nobody caught it: a process would have ended` });
    return true;
  });
  try {
    await kernel.runUntil(endMs);
  } catch (error) {
    if (!(error instanceof ObserverError)) throw error;
    escaped.push({ atMs: kernel.nowMs, detail: `${error.message}, into whoever had called it` });
  } finally {
    // Rejections are told of behind the macrotask in which nobody handled them.
    await nextMacrotask();
    restore();
  }
  return escaped;
}

export async function runSchedule(schedule: Schedule, { prepare, oracles = [], ...options }: RunOptions = {}): Promise<RunResult> {
  await preload();
  const world = new World({ seed: schedule.seed, setup: schedule.setup, ...options });
  const witness = new Witness(world);
  const player = new FaultPlayer(world, schedule);
  let openAtKill = 0;
  prepare?.(world);
  world.kernel.onStep = () => player.look();
  world.kernel.at(0, 'start', () => world.startAll());
  world.kernel.at(schedule.healMs, 'heal', () => player.heal());
  world.kernel.at(lastKillMs(schedule), 'last kill', () => {
    openAtKill = world.venue.positions(ACCOUNT).size;
    world.kill('brain');
  });
  const escaped = await runWatched(world, schedule.endMs);
  const view: RunView = { world, witness, schedule, strokes: player.strokes, openAtKill, escaped };
  const violations = [
    ...[...SAFETY_ORACLES, ...OUTCOME_ORACLES, ...STOP_ORACLES, exitLeftBehind].flatMap((oracle) => oracle(view)),
    ...[...LIVENESS_ORACLES, ...RECORD_ORACLES].flatMap((oracle) => oracle(view, schedule.endMs)),
    ...oracles.flatMap((oracle) => oracle(view)),
  ];
  const { trace } = world.kernel;
  return {
    schedule,
    violations,
    traceHash: trace.digest(),
    events: trace.events,
    strokes: player.strokes,
    reached: reachedIn(view),
    witness,
    world,
  };
}
