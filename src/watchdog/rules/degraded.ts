/** Degraded: a brain that beats, but says of itself that it cannot be trusted. */
import { isReliedOn, type Rule } from './rule.js';

export const degraded: Rule = (observed, limits) => {
  if (observed.degradedForMs === undefined || !isReliedOn(observed)) return undefined;
  // What a silent brain said last is judged by the rules about silence, which know planned work.
  if (observed.beatAgeMs > limits.missingMs) return undefined;
  return { rule: 'degraded', dueInMs: limits.degradedMs - observed.degradedForMs, reason: 'EXIT_BRAIN_DEGRADED' };
};
