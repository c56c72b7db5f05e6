/** The options of an exit brain's heartbeat, their defaults and bounds. */
import type { Bus } from '../bus/bus.js';
import { checkDurationMs, checkName } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import { type Random, systemRandom } from '../random.js';

export const DEFAULT_BEAT_INTERVAL_MS = 1_000;
export const DEFAULT_DECISION_STALL_MS = 10_000;

export interface ExitBrainOptions {
  readonly bus: Bus;
  /** The name under which the watchdog knows this brain. It stays the same across restarts. */
  readonly serviceId: string;
  /** The account whose positions it guards. Default: `default`. */
  readonly account?: string;
  /** Time between beats, 10 ms or more. Default: 1,000. */
  readonly intervalMs?: number;
  /** With positions open and no decision for this long, the beats say DEGRADED by themselves. Default: 10,000. */
  readonly decisionStallMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

export type CheckedExitBrainOptions = Required<ExitBrainOptions>;

/** Throws a ConfigurationError that names field, value and bound. */
export function checkExitBrainOptions(options: ExitBrainOptions): CheckedExitBrainOptions {
  return {
    bus: options.bus,
    serviceId: checkName('serviceId', options.serviceId),
    account: checkName('account', options.account ?? DEFAULT_ACCOUNT),
    intervalMs: checkDurationMs('intervalMs', options.intervalMs ?? DEFAULT_BEAT_INTERVAL_MS, { min: 10, max: 60_000 }),
    decisionStallMs: checkDurationMs('decisionStallMs', options.decisionStallMs ?? DEFAULT_DECISION_STALL_MS, { min: 10 }),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: isolatedLogger(options.logger),
  };
}
