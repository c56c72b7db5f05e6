/** How fast the roles of a world beat, how long their leases last, and how patiently they wait: options of theirs, all of them. */
import { DEFAULT_EXIT_TIMINGS, type ExitTimings } from '../../emergencyExit/options.js';
import { DEFAULT_MAX_STALENESS_MS } from '../../killSwitch/options.js';
import { LEASE_TTL_MS } from '../../messages/holder.js';
import { BOOK_AGE_MAX_MS, PEER_BEAT_MS } from '../../messages/peerBeat.js';
import { DEFAULT_DECIDE_MS } from '../../roles/scale.js';
import { DRAIN_POLL_MS, PEER_LIVENESS_MS, SUSPEND_MAX_MS, type TradingLeaseOptions } from '../../tradingLease/options.js';
import { DEFAULT_RESEND_MS } from '../../watchdog/options.js';
import type { WorldSetup } from './setup.js';

export interface WorldTimings {
  /** Of watchdog and exit worker. */
  readonly peerBeatMs: number;
  readonly lease: Required<Pick<TradingLeaseOptions, 'ttlMs' | 'peerLivenessMs' | 'suspendMaxMs' | 'drainPollMs' | 'workerBookAgeMaxMs'>>;
  /** How old an answer may be that the kill switch and the breakers go by. */
  readonly maxStalenessMs: number;
  /** Between two evaluations of the exit brain. */
  readonly decideMs: number;
  /** Before the watchdog sends a panic again. */
  readonly resendMs: number;
  readonly exit: ExitTimings;
}

const LONGEST_DRAIN_POLL_MS = 4_000;

/** At pace 1 every figure is the default of its part. What bounds a detection or an exit stays at its default, or close to it. */
export function timingsOf({ pace }: Pick<WorldSetup, 'pace'>): WorldTimings {
  const exit = DEFAULT_EXIT_TIMINGS;
  const peerBeatMs = PEER_BEAT_MS * pace;
  const ttlMs = LEASE_TTL_MS * pace;
  const atMost = (times: number) => Math.min(pace, times);
  return {
    peerBeatMs,
    lease: {
      ttlMs,
      peerLivenessMs: PEER_LIVENESS_MS * pace,
      suspendMaxMs: Math.max(SUSPEND_MAX_MS, 2 * ttlMs),
      drainPollMs: pace === 1 ? DRAIN_POLL_MS : Math.min(4 * DRAIN_POLL_MS * pace, LONGEST_DRAIN_POLL_MS),
      workerBookAgeMaxMs: BOOK_AGE_MAX_MS * atMost(4),
    },
    maxStalenessMs: DEFAULT_MAX_STALENESS_MS * atMost(16),
    decideMs: DEFAULT_DECIDE_MS * atMost(6),
    resendMs: DEFAULT_RESEND_MS * atMost(2),
    exit: {
      ...exit,
      beatMs: peerBeatMs,
      leaseTtlMs: ttlMs,
      bookRefreshMs: exit.bookRefreshMs * atMost(8),
      claimMs: exit.claimMs * atMost(4),
      watchMs: exit.watchMs * atMost(8),
    },
  };
}
