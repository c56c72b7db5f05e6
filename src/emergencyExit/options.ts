/** Options of an emergency exit: defaults, bounds, and what each is for. */
import { checkDurationMs, checkInteger } from '../checks.js';
import { BROKER_TIMEOUT_MS, LEASE_TTL_MS } from '../messages/holder.js';
import { PEER_BEAT_MS } from '../messages/peerBeat.js';

/** All durations in milliseconds on the monotonic clock. */
export interface ExitTimings {
  /** Another worker takes an incident over when its claim has stood still this long. Default 2,000. */
  readonly claimMs: number;
  /** Beats of this worker. Default 125. */
  readonly beatMs: number;
  /** How often positions and orders are read while nothing is wrong: the lease wants a reading within 10 s. Default 2,000. */
  readonly bookRefreshMs: number;
  /** A venue read that takes longer has failed. Default 2,000. */
  readonly readTimeoutMs: number;
  /** A venue write that takes longer has an unknown fate; part of the horizon where no holder is registered. Default 5,000. */
  readonly brokerTimeoutMs: number;
  /** Pause between questions about an order that is under way, and between rounds with nothing to do. Default 50. */
  readonly pollMs: number;
  /** Pause between readings while only the horizon or a silent holder is waited for. Default 250. */
  readonly watchMs: number;
  /** A reading that our own closes do not explain must stand this long. Default 250. */
  readonly settleMs: number;
  /** Closes wait this long for holders to drain where the venue says that it enforces reduce-only. Default 250. */
  readonly drainGraceMs: number;
  /** First pause after a rejected close; doubles up to 1,000. Default 50. */
  readonly rejectionBackoffMs: number;
  /** Escalation when the account is not flat by then; the exit goes on. Default 10,000. */
  readonly deadlineMs: number;
  /** The halt is tried for this long before closing begins all the same. Default 1,000. */
  readonly haltPatienceMs: number;
  /** Longest lease of any holder: part of the horizon. Default 750. */
  readonly leaseTtlMs: number;
  /** Without contact to the bus for this long, `onBusLost` applies. Default 10,000. */
  readonly busOutageMaxMs: number;
  /** A panic older than this is carried out all the same, and an alert says so. Default 60,000. */
  readonly panicAgeAlarmMs: number;
}

export const DEFAULT_EXIT_TIMINGS: ExitTimings = {
  claimMs: 2_000,
  beatMs: PEER_BEAT_MS,
  bookRefreshMs: 2_000,
  readTimeoutMs: 2_000,
  brokerTimeoutMs: BROKER_TIMEOUT_MS,
  pollMs: 50,
  watchMs: 250,
  settleMs: 250,
  drainGraceMs: 250,
  rejectionBackoffMs: 50,
  deadlineMs: 10_000,
  haltPatienceMs: 1_000,
  leaseTtlMs: LEASE_TTL_MS,
  busOutageMaxMs: 10_000,
  panicAgeAlarmMs: 60_000,
};

/** How long a worker's reads wait for news: one that beats seldom, for a strategy that trades seldom, also looks seldom. */
export function blockMsOf({ beatMs }: Pick<ExitTimings, 'beatMs'>): number {
  return Math.max(500, 4 * beatMs);
}

/** When the bus stays away. `escalate`: only tell people. `flatten`: close the book as well. */
export const BUS_LOST_POLICIES = ['escalate', 'flatten'] as const;
export type BusLostPolicy = (typeof BUS_LOST_POLICIES)[number];

/** Closes at the same time. */
export const DEFAULT_CONCURRENCY = 10;

/** Throws ConfigurationError naming the field that is no duration of at least 1 ms. */
export function resolveTimings(given: Partial<ExitTimings> = {}): ExitTimings {
  const timings = { ...DEFAULT_EXIT_TIMINGS, ...given };
  for (const [field, value] of Object.entries(timings)) checkDurationMs(field, value, { min: 1 });
  return timings;
}

/** Throws ConfigurationError outside 1 to 1,000. */
export function resolveConcurrency(concurrency: number = DEFAULT_CONCURRENCY): number {
  return checkInteger('concurrency', concurrency, { min: 1, max: 1_000 });
}
