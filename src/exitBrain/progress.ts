/** What a beat may say about the decision loop: only what the loop itself has shown. */
import type { BrainStatus } from '../messages/heartbeat.js';

/** What the decision loop has told so far. */
export interface BrainCondition {
  /** Evaluations completed in this life. */
  readonly decisions: number;
  /** Monotonic time of the last completed evaluation; before the first one, of the start. */
  readonly lastDecisionMs: number;
  readonly activePositions: number;
  /** Why the loop called itself degraded since its last completed evaluation. */
  readonly degraded: string | undefined;
}

export interface Progress {
  readonly decisionSequence: number;
  readonly status: Exclude<BrainStatus, 'GOODBYE'>;
  readonly reason?: string;
}

/** A timer that outlives its loop must not look healthy: with positions open, silence of the loop alone is DEGRADED. */
export function progress(condition: BrainCondition, nowMs: number, decisionStallMs: number): Progress {
  const { decisions, degraded, activePositions, lastDecisionMs } = condition;
  if (degraded !== undefined) return { decisionSequence: decisions, status: 'DEGRADED', reason: degraded };
  const silentMs = nowMs - lastDecisionMs;
  if (activePositions > 0 && silentMs >= decisionStallMs) {
    return { decisionSequence: decisions, status: 'DEGRADED', reason: `no decision for ${Math.round(silentMs)} ms` };
  }
  return { decisionSequence: decisions, status: 'OK' };
}
