/** Decision stale: positions are open and the brain beats, but its loop has completed nothing. */
import type { Rule } from './rule.js';

export const decisionStale: Rule = (observed, limits) => {
  if (!observed.seen || observed.positions === undefined || observed.positions === 0) return undefined;
  // What a silent brain did last is judged by the rules about silence, which know planned work.
  if (observed.beatAgeMs > limits.missingMs) return undefined;
  return { rule: 'decision_stale', dueInMs: limits.decisionStaleMs - observed.decisionAgeMs, reason: 'EXIT_BRAIN_DECISION_STALE' };
};
