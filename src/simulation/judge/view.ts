/** What every oracle looks at. */
import type { Stroke } from '../faults/play.js';
import type { Schedule } from '../faults/schedule.js';
import type { World } from '../world/world.js';
import type { Witness } from './witness.js';

/** Clocks drift and timers are whole milliseconds; both are far below this. */
export const TOLERANCE_MS = 5;

export interface RunView {
  readonly world: World;
  readonly witness: Witness;
  readonly schedule: Schedule;
  readonly strokes: readonly Stroke[];
  /** Positions in the books when the brain was killed for good. */
  readonly openAtKill: number;
  /** What observers did beyond their bounds, in this one's words. */
  readonly escaped: readonly { readonly atMs: number; readonly detail: string }[];
}
