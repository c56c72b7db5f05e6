/** What every rule of the watchdog sees and says: pure functions of one observation and the limits. */
import type { BrainStatus } from '../../messages/heartbeat.js';
import type { TradingMode } from '../../messages/tradingState.js';

export interface RuleLimits {
  /** No advancing beat for this long. Default: 5,000 ms. */
  readonly missingMs: number;
  /** DEGRADED without a break for this long. Default: 5,000 ms. */
  readonly degradedMs: number;
  /** Positions open and no decision completed for this long. Default: 30,000 ms. */
  readonly decisionStaleMs: number;
  /** Positions open and no advancing beat for this long. Default: 3,000 ms. */
  readonly unguardedMs: number;
  /** More generations than this within `flappingWindowMs` are a crash loop. Default: 3. */
  readonly maxGenerations: number;
  /** Default: 60,000 ms. */
  readonly flappingWindowMs: number;
}

/** One exit brain as the watchdog sees it now. Ages count only time in which the watchdog itself was healthy. */
export interface ServiceObservation {
  readonly serviceId: string;
  /** Undefined where no beat ever said it. */
  readonly account: string | undefined;
  /** Whether this watchdog has ever seen a beat of it. */
  readonly seen: boolean;
  /** The trading state says that it must beat. */
  readonly expected: boolean;
  readonly mode: TradingMode;
  readonly status: BrainStatus | undefined;
  /** Since the last beat that was news; where none was ever seen, since its epoch was first seen. */
  readonly beatAgeMs: number;
  /** Open positions by the brain's own last word or the exit worker's, whichever is more; undefined where nobody knows. */
  readonly positions: number | undefined;
  readonly decisionAgeMs: number;
  /** How long the beats have said DEGRADED; undefined while they do not. */
  readonly degradedForMs: number | undefined;
  readonly generationsInWindow: number;
  /** What is left of a maintenance window; 0: none. */
  readonly maintenanceLeftMs: number;
}

export const RULE_NAMES = ['missing', 'degraded', 'decision_stale', 'unguarded', 'flapping'] as const;
export type RuleName = (typeof RULE_NAMES)[number];

/** A rule that applies: it accuses once nothing is left of `dueInMs` (below zero: overdue), unless something changes before. */
export interface Suspicion {
  readonly rule: RuleName;
  readonly dueInMs: number;
  /** The reason that a panic names: stable, for programs as well as for people. */
  readonly reason: string;
}

/** Returns undefined where the rule does not apply to what is observed. */
export type Rule = (observed: ServiceObservation, limits: RuleLimits) => Suspicion | undefined;

/** Whether anybody relies on this brain now. A brain that nobody expects, with nothing to guard, may come and go. */
export function isReliedOn(observed: ServiceObservation): boolean {
  const { expected, mode, positions } = observed;
  if (positions !== undefined && positions > 0) return true;
  // Halted and known to be flat: nothing can open, so there is nothing to close.
  return expected && !(mode === 'HALTED' && positions === 0);
}

/** Silence that was announced is not held against a brain before its window has ended. */
export function afterMaintenance(dueInMs: number, { maintenanceLeftMs }: ServiceObservation): number {
  return maintenanceLeftMs > 0 ? Math.max(dueInMs, maintenanceLeftMs) : dueInMs;
}
