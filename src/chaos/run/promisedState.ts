/** What a run recovers to, as the observer sees it. */

import type { Conductor } from '../../drill/conductor.js';
import type { BusSight } from '../../rig/observer.js';

/** Beats of a life of the brain that began after this moment, or that goes on after it. */
function brainBeatsAfter({ brainBeats }: BusSight, sinceMs: number): boolean {
  return brainBeats.some(({ atMs }) => atMs > sinceMs);
}

/** Flat was said, trading is HALTED by the exit, and the brain beats again. An operator's re-arm is not part of it. */
export function isFlatAndHalted({ sight }: Conductor, sinceMs: number): boolean {
  const isFlat = sight.completions.some(({ value }) => value.verdict === 'flat');
  const last = sight.states.at(-1)?.value;
  const isHalted = last?.mode === 'HALTED' && last.halts.some(({ kind }) => kind === 'exit');
  return isFlat && isHalted && brainBeatsAfter(sight, sinceMs);
}

/** An order was admitted at the door and taken by the venue, and the brain beats. */
export function isTradingAgain(conductor: Conductor, sinceMs: number): boolean {
  const admitted = new Set(
    conductor
      .attempts()
      .filter(({ value }) => value.atMs > sinceMs && value.result === 'admitted')
      .map(({ value }) => value.clientOrderId),
  );
  if (admitted.size === 0 || !brainBeatsAfter(conductor.sight, sinceMs)) return false;
  return conductor
    .events()
    .some((event) => event.kind === 'accepted' && event.clientOrderId !== undefined && admitted.has(event.clientOrderId));
}
