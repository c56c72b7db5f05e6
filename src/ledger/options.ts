/** The options of a ledger, checked by hand: the import of the library must stay light. */
import { checkInteger, checkNumber } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { ConfigurationError } from '../errors.js';

/** One hour: United States exchanges take requests to bust a trade for up to that long (their clearly erroneous rules). */
export const DEFAULT_HORIZON_MS = 3_600_000;
/** How far ahead of this host's wall clock a fill may be stamped. One wrong stamp in the future would otherwise settle the whole book. */
export const DEFAULT_MAX_AHEAD_MS = 60_000;
export const DEFAULT_KEEP_RESULTS = 1_000;

const YEAR_MS = 366 * 86_400_000;

export interface LedgerOptions {
  /**
   * How far behind the newest fill of its account and symbol a fill, a duplicate, a correction or a bust may come, by its own time.
   * What is older is settled: refused as `too_late`, never guessed at. Default 3,600,000 ms, at most 366 days.
   */
  readonly horizonMs?: number;
  /** How far ahead of the wall clock a fill may be stamped. Default 60,000 ms, at most 366 days. */
  readonly maxAheadMs?: number;
  /** Settled results that are kept for each position. Default 1,000; 1 to 1,000,000. Those within the horizon are always kept. */
  readonly keepResults?: number;
  /** What an earlier ledger's `snapshot()` returned. Default: an empty ledger. */
  readonly snapshot?: string;
  readonly clock?: Clock;
}

export interface CheckedLedgerOptions {
  readonly horizonMs: number;
  readonly maxAheadMs: number;
  readonly keepResults: number;
  readonly snapshot: string | undefined;
  readonly clock: Clock;
}

/** Throws a {@link ConfigurationError} that names the option that cannot hold. */
export function checkLedgerOptions(options: LedgerOptions): CheckedLedgerOptions {
  const { horizonMs = DEFAULT_HORIZON_MS, maxAheadMs = DEFAULT_MAX_AHEAD_MS, keepResults = DEFAULT_KEEP_RESULTS } = options;
  const { snapshot, clock = systemClock } = options;
  if (snapshot !== undefined && typeof snapshot !== 'string') {
    throw new ConfigurationError('snapshot', snapshot, 'must be the text that snapshot() returned');
  }
  return {
    horizonMs: checkNumber('horizonMs', horizonMs, { min: 0, max: YEAR_MS }),
    maxAheadMs: checkNumber('maxAheadMs', maxAheadMs, { min: 0, max: YEAR_MS }),
    keepResults: checkInteger('keepResults', keepResults, { min: 1, max: 1_000_000 }),
    snapshot,
    clock,
  };
}
