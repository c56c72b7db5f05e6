/** Exit brains that lack one safeguard. */
import { assembleExitBrain } from '../../exitBrain/exitBrain.js';
import type { ExitBrainSeams } from '../../roles/exitBrainRole.js';

type CreateBrain = NonNullable<ExitBrainSeams['create']>;

let ticks = 0;

export const brokenBrains: Readonly<Record<string, CreateBrain>> = {
  /** Progress is counted by the timer that sends the beat, whatever the loop does. */
  'beat-from-timer': (options) => assembleExitBrain(options, { progress: () => ({ decisionSequence: ticks++, status: 'OK' }) }),
};
