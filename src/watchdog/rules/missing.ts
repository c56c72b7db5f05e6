/** Missing: a brain that is relied on has stopped beating. */
import { isReliedOn, type Rule } from './rule.js';

export const missing: Rule = (observed, limits) => {
  if (!isReliedOn(observed)) return undefined;
  const dueInMs = Math.max(limits.missingMs - observed.beatAgeMs, observed.maintenanceLeftMs);
  return { rule: 'missing', dueInMs, reason: 'EXIT_BRAIN_HEARTBEAT_MISSING' };
};
