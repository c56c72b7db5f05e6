/** Unguarded: positions are open and their brain is silent. It need not wait as long as `missing` does. */
import type { Rule } from './rule.js';

export const unguarded: Rule = (observed, limits) => {
  if (observed.positions === undefined || observed.positions === 0) return undefined;
  const dueInMs = Math.max(limits.unguardedMs - observed.beatAgeMs, observed.maintenanceLeftMs);
  return { rule: 'unguarded', dueInMs, reason: 'EXIT_BRAIN_UNGUARDED' };
};
