/** What a supervisor is told, with its defaults and bounds. */
import type { Broker } from '../broker/broker.js';
import type { Bus } from '../bus/bus.js';
import { checkDurationMs, checkInteger } from '../checks.js';
import type { Clock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { StartProcess } from './process.js';
import { checkDistinct, type Service } from './service.js';

export interface SupervisorOptions {
  readonly services: readonly Service[];
  readonly bus: Bus;
  /** Who tells whether the book is flat. Absent: nobody does, so that each death of a bot or an exit brain is a panic. */
  readonly broker?: Broker;
  /** The account that a panic is about. Default: every one. */
  readonly account?: string;
  /** Of one service within the window. Default 3. */
  readonly maxRestarts?: number;
  /** Default 60,000 ms. */
  readonly windowMs?: number;
  /** Between two readings of the book. Default 500 ms. */
  readonly bookEveryMs?: number;
  /** How long the book of a dead bot must stay empty: an order of it may still be on its way. Default 2,000 ms. */
  readonly settleMs?: number;
  /** How long a service may take to end in order. Default 10,000 ms. */
  readonly endWithinMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For tests. Default: a child process with the streams of this one. */
  readonly start?: StartProcess;
  /** Told of what happens, in words. */
  readonly onEvent?: (text: string) => void;
}

export const SUPERVISOR_DEFAULTS = { maxRestarts: 3, windowMs: 60_000, bookEveryMs: 500, settleMs: 2_000, endWithinMs: 10_000 } as const;

export type CheckedSupervisorOptions = SupervisorOptions & Required<Pick<SupervisorOptions, keyof typeof SUPERVISOR_DEFAULTS>>;

/** Throws {@link ConfigurationError} naming field, value and bound. */
export function checkSupervisorOptions(given: SupervisorOptions): CheckedSupervisorOptions {
  const options = { ...SUPERVISOR_DEFAULTS, ...given };
  if (options.services.length === 0) throw new ConfigurationError('services', 0, 'must be at least one');
  checkDistinct(options.services);
  checkInteger('max-restarts', options.maxRestarts, { min: 0, max: 1_000 });
  checkDurationMs('within', options.windowMs, { min: 1 });
  checkDurationMs('book-every', options.bookEveryMs, { min: 10 });
  checkDurationMs('settle', options.settleMs, { min: 0 });
  checkDurationMs('end-within', options.endWithinMs, { min: 1 });
  return options;
}
