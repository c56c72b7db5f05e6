/** Flapping: each life of the brain beats in time, but the lives are short. */
import { isReliedOn, type Rule } from './rule.js';

export const flapping: Rule = (observed, limits) => {
  if (observed.generationsInWindow <= limits.maxGenerations || !isReliedOn(observed)) return undefined;
  return { rule: 'flapping', dueInMs: 0, reason: 'EXIT_BRAIN_FLAPPING' };
};
