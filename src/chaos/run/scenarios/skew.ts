/** How far the wall clock of a watchdog is from that of its reader. */
import { systemClock } from '../../../clock.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../../messages/heartbeat.js';
import type { Stage } from '../stage.js';

export const SKEW_TARGET_MS = 3_000_000;
const ANSWER_MS = 5_000;

/**
 * How far the wall clock of the watchdog is from ours: it puts a record that it cannot understand on the audit record, with its own
 * time. Asked until it is far enough away; answers the last distance.
 */
export async function skewOf({ conductor }: Pick<Stage, 'conductor'>): Promise<number> {
  const untilMs = systemClock.monotonicMs() + ANSWER_MS;
  let skewMs = 0;
  while (skewMs < SKEW_TARGET_MS && systemClock.monotonicMs() < untilMs) {
    const askedMs = systemClock.monotonicMs();
    await conductor.cast.bus.append(EXIT_BRAIN_HEARTBEAT, { question: 'what time is it?' });
    const answer = () =>
      conductor.sight.audit.find(({ atMs, value }) => atMs >= askedMs && value.event === 'watchdog.record_not_understood');
    await conductor.waitFor(ANSWER_MS, () => answer() !== undefined);
    const seen = answer();
    if (seen === undefined) return skewMs;
    skewMs = Math.abs(seen.value.wallMs - (systemClock.wallMs() - (systemClock.monotonicMs() - seen.atMs)));
  }
  return skewMs;
}
