/** How fast the roles of a world beat, how long their leases last, and how patiently they wait: options of theirs, all of them. */
import { DEFAULT_EXIT_TIMINGS, type ExitTimings } from '../../emergencyExit/options.js';
import { DEFAULT_BEAT_INTERVAL_MS, DEFAULT_DECISION_STALL_MS, type ExitBrainOptions } from '../../exitBrain/options.js';
import { DEFAULT_MAX_STALENESS_MS } from '../../killSwitch/options.js';
import { LEASE_TTL_MS } from '../../messages/holder.js';
import { BOOK_AGE_MAX_MS, PEER_BEAT_MS } from '../../messages/peerBeat.js';
import { DEFAULT_DECIDE_MS } from '../../roles/scale.js';
import { DRAIN_POLL_MS, PEER_LIVENESS_MS, SUSPEND_MAX_MS, type TradingLeaseOptions } from '../../tradingLease/options.js';
import { DEFAULT_RESEND_MS, DEFAULT_RULE_LIMITS } from '../../watchdog/options.js';
import type { RuleLimits } from '../../watchdog/rules/rule.js';
import type { WorldSetup } from './setup.js';

export interface WorldTimings {
  /** Of watchdog and exit worker. */
  readonly peerBeatMs: number;
  readonly lease: Required<Pick<TradingLeaseOptions, 'ttlMs' | 'peerLivenessMs' | 'suspendMaxMs' | 'drainPollMs' | 'workerBookAgeMaxMs'>>;
  /** How old an answer may be that the kill switch and the breakers go by. */
  readonly maxStalenessMs: number;
  readonly brain: Required<Pick<ExitBrainOptions, 'intervalMs' | 'decisionStallMs'>>;
  /** Between two evaluations of the exit brain. */
  readonly decideMs: number;
  /** When the watchdog accuses. */
  readonly rules: RuleLimits;
  /** Before the watchdog sends a panic again. */
  readonly resendMs: number;
  readonly exit: ExitTimings;
}

const LONGEST_DRAIN_POLL_MS = 4_000;
const BRAIN_PACE_MAX = 2;

/** At pace 1 every figure is the default of its part. What bounds a detection or an exit stays close to its default. */
export function timingsOf({ pace }: Pick<WorldSetup, 'pace'>): WorldTimings {
  const exit = DEFAULT_EXIT_TIMINGS;
  const rules = DEFAULT_RULE_LIMITS;
  const peerBeatMs = PEER_BEAT_MS * pace;
  const ttlMs = LEASE_TTL_MS * pace;
  const atMost = (times: number) => Math.min(pace, times);
  const brainPace = atMost(BRAIN_PACE_MAX);
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
    brain: { intervalMs: DEFAULT_BEAT_INTERVAL_MS * brainPace, decisionStallMs: DEFAULT_DECISION_STALL_MS * brainPace },
    decideMs: DEFAULT_DECIDE_MS * atMost(12),
    rules: {
      ...rules,
      missingMs: rules.missingMs * brainPace,
      degradedMs: rules.degradedMs * brainPace,
      decisionStaleMs: rules.decisionStaleMs * brainPace,
      unguardedMs: rules.unguardedMs * brainPace,
    },
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
