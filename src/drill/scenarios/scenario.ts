/** A scenario of the drill: a fault, what it waits for, and the checks that judge it. */
import type { ScaledTimings } from '../../roles/scale.js';
import type { Conductor } from '../conductor.js';
import type { Judge } from '../judge/evidence.js';

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  readonly checks: readonly Judge[];
  /** How soon after the fault the panic is promised. */
  readonly detectionMs: (timings: ScaledTimings) => number;
  readonly run: (conductor: Conductor) => Promise<void>;
}
