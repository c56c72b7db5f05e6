/** Watchdogs that lack one safeguard. */
import { type Clock, systemClock } from '../../clock.js';
import { encodePanicClose, PANIC_CLOSE } from '../../messages/panicClose.js';
import type { WatchdogSeams } from '../../roles/watchdogRole.js';
import { assembleWatchdog, intactParts, type WatchdogParts } from '../../watchdog/runningWatchdog.js';

export interface BrokenWatchdog {
  readonly create?: NonNullable<WatchdogSeams['create']>;
  /** What it measures ages on, given the clock that the fault gave it. */
  readonly clock?: (given: Clock | undefined) => Clock;
}

export const brokenWatchdogParts = {
  /** Beats, so that trading can be armed, and never accuses anyone. */
  'no-watchdog': { ...intactParts, rules: [] },
  /** One send, whatever became of it, and never again. */
  'panic-once': {
    ...intactParts,
    sendPanic: (panic, { bus, key, idempotencyKey }) => bus.append(PANIC_CLOSE, encodePanicClose(panic), { key, idempotencyKey }),
    resends: () => [],
  },
} as const satisfies Readonly<Record<string, WatchdogParts>>;

/** Ages are differences of the wall clock. */
export const wallClockAge = (clock: Clock): Clock => ({ ...clock, monotonicMs: () => clock.wallMs() });

export const brokenWatchdogs: Readonly<Record<string, BrokenWatchdog>> = {
  ...Object.fromEntries(
    Object.entries(brokenWatchdogParts).map(([name, parts]): [string, BrokenWatchdog] => [
      name,
      { create: (options) => assembleWatchdog(options, parts) },
    ]),
  ),
  'wall-clock-age': { clock: (given = systemClock) => wallClockAge(given) },
};
