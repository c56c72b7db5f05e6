/** Unguarded: positions are open and their brain is silent. It need not wait as long as `missing` does. */
import { afterMaintenance, type Rule } from './rule.js';

export const unguarded: Rule = (observed, limits) => {
  if (observed.positions === undefined || observed.positions === 0) return undefined;
  const dueInMs = afterMaintenance(limits.unguardedMs - observed.beatAgeMs, observed);
  return { rule: 'unguarded', dueInMs, reason: 'EXIT_BRAIN_UNGUARDED' };
};
