/** Runs one schedule: trouble, healing, the death of the brain, and the judgement. */

import { FaultPlayer, type Stroke } from '../faults/play.js';
import type { Schedule } from '../faults/schedule.js';
import { lastKillMs } from '../faults/schedule.js';
import { LIVENESS_ORACLES } from '../judge/liveness.js';
import { reachedIn } from '../judge/reached.js';
import { type RunView, SAFETY_ORACLES } from '../judge/safety.js';
import type { Violation } from '../judge/violation.js';
import { Witness } from '../judge/witness.js';
import { ACCOUNT } from '../world/ground.js';
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
  await world.kernel.runUntil(schedule.endMs);
  const view = { world, witness, schedule, strokes: player.strokes, openAtKill };
  const violations = [
    ...SAFETY_ORACLES.flatMap((oracle) => oracle(view)),
    ...LIVENESS_ORACLES.flatMap((oracle) => oracle(view, schedule.endMs)),
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
