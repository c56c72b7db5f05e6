/** The rules together: who is accused now, and when somebody could be next. */
import { decisionStale } from './decisionStale.js';
import { degraded } from './degraded.js';
import { flapping } from './flapping.js';
import { missing } from './missing.js';
import type { Rule, RuleLimits, ServiceObservation, Suspicion } from './rule.js';
import { unguarded } from './unguarded.js';

/** In the order in which a reason is chosen where several accuse at once. */
export const ALL_RULES: readonly Rule[] = [missing, degraded, decisionStale, unguarded, flapping];

/** The suspicion that falls due first; undefined where no rule applies. */
export function firstSuspicion(rules: readonly Rule[], observed: ServiceObservation, limits: RuleLimits): Suspicion | undefined {
  let first: Suspicion | undefined;
  for (const rule of rules) {
    const suspicion = rule(observed, limits);
    if (suspicion !== undefined && (first === undefined || suspicion.dueInMs < first.dueInMs)) first = suspicion;
  }
  return first;
}
