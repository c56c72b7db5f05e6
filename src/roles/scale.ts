/** Divides every threshold, interval, lease, claim, dwell and broker timeout by one factor, and never a tolerance or a count. */
import { checkDurationMs, checkNumber } from '../checks.js';
import { DEFAULT_EXIT_TIMINGS, type ExitTimings } from '../emergencyExit/options.js';
import { ConfigurationError } from '../errors.js';
import { DEFAULT_BEAT_INTERVAL_MS, DEFAULT_DECISION_STALL_MS } from '../exitBrain/options.js';
import { LEASE_TTL_MS } from '../messages/holder.js';
import { PEER_BEAT_MS } from '../messages/peerBeat.js';
import { PEER_LIVENESS_MS, SUSPEND_MAX_MS } from '../tradingLease/options.js';
import { OBSERVE_MS, REARM_DWELL_MS } from '../tradingState/options.js';
import {
  DEFAULT_BUS_OUTAGE_MAX_MS,
  DEFAULT_RECONNECT_ALLOWANCE_MS,
  DEFAULT_RESEND_MAX_MS,
  DEFAULT_RESEND_MS,
  DEFAULT_RULE_LIMITS,
  DEFAULT_WORKER_MISSING_MS,
  type WatchdogOptions,
} from '../watchdog/options.js';
import type { RuleLimits } from '../watchdog/rules/rule.js';

/** Above this the beats of watchdog and worker would come closer together than timers can keep apart. */
export const SCALE_MAX = 25;
/** Pause between two evaluations of an exit brain's decide function. */
export const DEFAULT_DECIDE_MS = 250;
/** When a broker call of a role surely ends: its client gives up before the exit worker would (`ExitTimings.brokerTimeoutMs`). */
export const DEFAULT_BROKER_TIMEOUT_MS = 2_000;

/** Throws ConfigurationError where a close may still be on its way to the venue when the exit has given up on it. */
export function checkCloseTimeoutMs(timeoutMs: number, { brokerTimeoutMs }: Pick<ExitTimings, 'brokerTimeoutMs'>): number {
  checkDurationMs('brokerTimeoutMs', timeoutMs, { min: 1 });
  if (timeoutMs <= brokerTimeoutMs) return timeoutMs;
  const bound = `must be at most ${brokerTimeoutMs} ms: the exit gives up on a close then, and its call must have ended`;
  throw new ConfigurationError('brokerTimeoutMs', timeoutMs, bound);
}

export interface ScaledTimings {
  readonly scale: number;
  readonly brokerTimeoutMs: number;
  readonly exitBrain: { readonly intervalMs: number; readonly decisionStallMs: number; readonly decideMs: number };
  readonly watchdog: { readonly rules: RuleLimits } & Required<
    Pick<WatchdogOptions, 'peerBeatMs' | 'reconnectAllowanceMs' | 'resendMs' | 'resendMaxMs' | 'busOutageMaxMs' | 'workerMissingMs'>
  >;
  readonly exitWorker: ExitTimings;
  readonly lease: { readonly ttlMs: number; readonly peerLivenessMs: number; readonly suspendMaxMs: number };
  readonly rearm: { readonly dwellMs: number; readonly observeMs: number };
}

/** `scale` is a number between 1 and {@link SCALE_MAX}; with 1 every figure is the default of its part. */
export function scaledTimings(scale = 1): ScaledTimings {
  checkNumber('scale', scale, { min: 1, max: SCALE_MAX });
  const scaled = (ms: number) => Math.max(1, ms / scale);
  const rules = DEFAULT_RULE_LIMITS;
  const exit = DEFAULT_EXIT_TIMINGS;
  return {
    scale,
    brokerTimeoutMs: scaled(DEFAULT_BROKER_TIMEOUT_MS),
    exitBrain: {
      intervalMs: scaled(DEFAULT_BEAT_INTERVAL_MS),
      decisionStallMs: scaled(DEFAULT_DECISION_STALL_MS),
      decideMs: scaled(DEFAULT_DECIDE_MS),
    },
    watchdog: {
      rules: {
        missingMs: scaled(rules.missingMs),
        degradedMs: scaled(rules.degradedMs),
        decisionStaleMs: scaled(rules.decisionStaleMs),
        unguardedMs: scaled(rules.unguardedMs),
        flappingWindowMs: scaled(rules.flappingWindowMs),
        maxGenerations: rules.maxGenerations,
      },
      peerBeatMs: scaled(PEER_BEAT_MS),
      reconnectAllowanceMs: scaled(DEFAULT_RECONNECT_ALLOWANCE_MS),
      resendMs: scaled(DEFAULT_RESEND_MS),
      resendMaxMs: scaled(DEFAULT_RESEND_MAX_MS),
      busOutageMaxMs: scaled(DEFAULT_BUS_OUTAGE_MAX_MS),
      workerMissingMs: scaled(DEFAULT_WORKER_MISSING_MS),
    },
    exitWorker: {
      claimMs: scaled(exit.claimMs),
      beatMs: scaled(exit.beatMs),
      bookRefreshMs: scaled(exit.bookRefreshMs),
      readTimeoutMs: scaled(exit.readTimeoutMs),
      brokerTimeoutMs: scaled(exit.brokerTimeoutMs),
      pollMs: scaled(exit.pollMs),
      watchMs: scaled(exit.watchMs),
      settleMs: scaled(exit.settleMs),
      drainGraceMs: scaled(exit.drainGraceMs),
      rejectionBackoffMs: scaled(exit.rejectionBackoffMs),
      deadlineMs: scaled(exit.deadlineMs),
      haltPatienceMs: scaled(exit.haltPatienceMs),
      leaseTtlMs: scaled(exit.leaseTtlMs),
      busOutageMaxMs: scaled(exit.busOutageMaxMs),
      panicAgeAlarmMs: scaled(exit.panicAgeAlarmMs),
    },
    lease: {
      ttlMs: scaled(LEASE_TTL_MS),
      peerLivenessMs: scaled(PEER_LIVENESS_MS),
      suspendMaxMs: scaled(SUSPEND_MAX_MS),
    },
    rearm: { dwellMs: scaled(REARM_DWELL_MS), observeMs: scaled(OBSERVE_MS) },
  };
}
