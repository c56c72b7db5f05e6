/** Watchdogs that lack one safeguard. */
import { type Clock, systemClock } from '../../clock.js';
import { encodePanicClose, PANIC_CLOSE } from '../../messages/panicClose.js';
import type { WatchdogSeams } from '../../roles/watchdogRole.js';
import { assembleWatchdog, intactParts } from '../../watchdog/runningWatchdog.js';

export interface BrokenWatchdog {
  readonly create?: NonNullable<WatchdogSeams['create']>;
  /** What it measures ages on, given the clock that the fault gave it. */
  readonly clock?: (given: Clock | undefined) => Clock;
}

export const brokenWatchdogs: Readonly<Record<string, BrokenWatchdog>> = {
  /** Beats, so that trading can be armed, and never accuses anyone. */
  'no-watchdog': { create: (options) => assembleWatchdog(options, { ...intactParts, rules: [] }) },
  /** One send, whatever became of it, and never again. */
  'panic-once': {
    create: (options) =>
      assembleWatchdog(options, {
        ...intactParts,
        sendPanic: (panic, { bus, key, idempotencyKey }) => bus.append(PANIC_CLOSE, encodePanicClose(panic), { key, idempotencyKey }),
        resends: () => [],
      }),
  },
  /** Ages are differences of the wall clock. */
  'wall-clock-age': { clock: (given = systemClock) => ({ ...given, monotonicMs: () => given.wallMs() }) },
};
