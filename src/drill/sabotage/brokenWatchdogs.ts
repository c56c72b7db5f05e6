/** Watchdogs that lack one safeguard. */
import { type Clock, systemClock } from '../../clock.js';
import { encodePanicClose, PANIC_CLOSE } from '../../messages/panicClose.js';
import type { WatchdogSeams } from '../../roles/watchdogRole.js';
import type { Rule } from '../../watchdog/rules/rule.js';
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

/** Only a run without a fault shows it: in every other one somebody has to be accused. */
export const ACCUSES_THE_LIVING = 'accuses-the-living';
const ACCUSED_AFTER_MS = 5_000;

/** A brain that guards positions is accused after a while, however well it beats. */
function accusesTheLiving(clock: Clock): Rule {
  let sinceMs: number | undefined;
  return ({ positions }) => {
    if (positions === undefined || positions === 0) return undefined;
    sinceMs ??= clock.monotonicMs();
    return { rule: 'unguarded', dueInMs: sinceMs + ACCUSED_AFTER_MS - clock.monotonicMs(), reason: 'EXIT_BRAIN_UNGUARDED' };
  };
}

export const brokenWatchdogs: Readonly<Record<string, BrokenWatchdog>> = {
  ...Object.fromEntries(
    Object.entries(brokenWatchdogParts).map(([name, parts]): [string, BrokenWatchdog] => [
      name,
      { create: (options) => assembleWatchdog(options, parts) },
    ]),
  ),
  [ACCUSES_THE_LIVING]: {
    create: (options) => assembleWatchdog(options, { ...intactParts, rules: [accusesTheLiving(options.clock ?? systemClock)] }),
  },
  'wall-clock-age': { clock: (given = systemClock) => wallClockAge(given) },
};
