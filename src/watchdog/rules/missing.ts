/** Missing: a brain that is relied on has stopped beating. */
import { afterMaintenance, isReliedOn, type Rule } from './rule.js';

export const missing: Rule = (observed, limits) => {
  if (!isReliedOn(observed)) return undefined;
  const dueInMs = afterMaintenance(limits.missingMs - observed.beatAgeMs, observed);
  return { rule: 'missing', dueInMs, reason: 'EXIT_BRAIN_HEARTBEAT_MISSING' };
};
