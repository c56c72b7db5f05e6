/** The options of a watchdog, their defaults and bounds. */
import { type AlertSink, silentAlerts } from '../alert/alert.js';
import type { Audit } from '../audit/audit.js';
import type { Bus } from '../bus/bus.js';
import { checkDurationMs, checkInteger, checkName, checkText } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { type DurableFiles, systemFiles } from '../durableFile.js';
import { ConfigurationError } from '../errors.js';
import { type HostIdentity, hostIdentity } from '../host.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { PEER_BEAT_MS } from '../messages/peerBeat.js';
import { type Random, systemRandom } from '../random.js';
import type { RuleLimits } from './rules/rule.js';

export const DEFAULT_RULE_LIMITS: RuleLimits = {
  missingMs: 5_000,
  degradedMs: 5_000,
  decisionStaleMs: 30_000,
  unguardedMs: 3_000,
  maxGenerations: 3,
  flappingWindowMs: 60_000,
};
export const DEFAULT_STALL_MS = 250;
export const DEFAULT_RECONNECT_ALLOWANCE_MS = 2_000;
export const DEFAULT_RESEND_MS = 1_000;
export const DEFAULT_RESEND_MAX_MS = 5_000;
export const DEFAULT_BUS_OUTAGE_MAX_MS = 10_000;
export const DEFAULT_WORKER_MISSING_MS = 2_000;

export interface WatchdogOptions {
  readonly bus: Bus;
  /** When each rule accuses. Defaults: missing 5,000, degraded 5,000, decision stale 30,000, unguarded 3,000, 3 lives in 60,000 ms. */
  readonly rules?: Partial<RuleLimits>;
  /** Tells several watchdogs apart. Default: a new id. */
  readonly watchdogId?: string;
  /** Where uncleared halts and the highest epoch are remembered across restarts. Default: in memory only. */
  readonly memoryFile?: string;
  /** Where `memoryFile` is kept. Default: the file system. */
  readonly files?: DurableFiles;
  /** Which process this is, for its beats. Default: what the operating system says. */
  readonly self?: HostIdentity;
  /** Told straight from here, never through the bus. Default: nobody. */
  readonly alert?: AlertSink;
  /** Default: a record under `watchdog:<watchdogId>` on the same bus. */
  readonly audit?: Pick<Audit, 'record'>;
  /** Time between beats of its own. Default: 125 ms. */
  readonly peerBeatMs?: number;
  /** Lateness of its own beats above which it doubts itself. Default: 250 ms. */
  readonly stallMs?: number;
  /** What the beats of others get after a stall or loss of contact before anybody is accused. Default: 2,000 ms. */
  readonly reconnectAllowanceMs?: number;
  /** First wait before an unanswered panic is sent again. Default: 1,000 ms; waits double up to `resendMaxMs`, default 5,000 ms. */
  readonly resendMs?: number;
  readonly resendMaxMs?: number;
  /** Without contact for longer than this, people are told. Default: 10,000 ms. */
  readonly busOutageMaxMs?: number;
  /** An account with an open panic and no beat of an exit worker for this long is escalated. Default: 2,000 ms. */
  readonly workerMissingMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

export type CheckedWatchdogOptions = Required<Omit<WatchdogOptions, 'memoryFile' | 'audit' | 'rules'>> &
  Pick<WatchdogOptions, 'memoryFile' | 'audit'> & { readonly rules: RuleLimits };

function checkRules(rules: Partial<RuleLimits>): RuleLimits {
  const merged = { ...DEFAULT_RULE_LIMITS, ...rules };
  const atLeast = { min: 50 };
  return {
    missingMs: checkDurationMs('rules.missingMs', merged.missingMs, atLeast),
    degradedMs: checkDurationMs('rules.degradedMs', merged.degradedMs, atLeast),
    decisionStaleMs: checkDurationMs('rules.decisionStaleMs', merged.decisionStaleMs, atLeast),
    unguardedMs: checkDurationMs('rules.unguardedMs', merged.unguardedMs, atLeast),
    // Sixteen starts are remembered for each service: a larger number could never be reached.
    maxGenerations: checkInteger('rules.maxGenerations', merged.maxGenerations, { min: 1, max: 15 }),
    flappingWindowMs: checkDurationMs('rules.flappingWindowMs', merged.flappingWindowMs, atLeast),
  };
}

/** Throws a ConfigurationError that names field, value and bound. */
export function checkWatchdogOptions(options: WatchdogOptions): CheckedWatchdogOptions {
  const random = options.random ?? systemRandom;
  const resendMs = checkDurationMs('resendMs', options.resendMs ?? DEFAULT_RESEND_MS, { min: 10 });
  const resendMaxMs = checkDurationMs('resendMaxMs', options.resendMaxMs ?? Math.max(resendMs, DEFAULT_RESEND_MAX_MS), { min: 10 });
  if (resendMaxMs < resendMs) throw new ConfigurationError('resendMaxMs', resendMaxMs, `must be at least resendMs = ${resendMs}`);
  return {
    bus: options.bus,
    rules: checkRules(options.rules ?? {}),
    watchdogId: checkName('watchdogId', options.watchdogId ?? `w-${random.id()}`),
    ...(options.memoryFile === undefined ? {} : { memoryFile: checkText('memoryFile', options.memoryFile) }),
    ...(options.audit === undefined ? {} : { audit: options.audit }),
    files: options.files ?? systemFiles,
    self: options.self ?? hostIdentity(),
    alert: options.alert ?? silentAlerts,
    peerBeatMs: checkDurationMs('peerBeatMs', options.peerBeatMs ?? PEER_BEAT_MS, { min: 5, max: 10_000 }),
    stallMs: checkDurationMs('stallMs', options.stallMs ?? DEFAULT_STALL_MS, { min: 10, max: 10_000 }),
    reconnectAllowanceMs: checkDurationMs('reconnectAllowanceMs', options.reconnectAllowanceMs ?? DEFAULT_RECONNECT_ALLOWANCE_MS),
    resendMs,
    resendMaxMs,
    busOutageMaxMs: checkDurationMs('busOutageMaxMs', options.busOutageMaxMs ?? DEFAULT_BUS_OUTAGE_MAX_MS, { min: 100 }),
    workerMissingMs: checkDurationMs('workerMissingMs', options.workerMissingMs ?? DEFAULT_WORKER_MISSING_MS, { min: 50 }),
    clock: options.clock ?? systemClock,
    random,
    logger: isolatedLogger(options.logger),
  };
}
