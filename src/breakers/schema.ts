/** Checks one group of options: no key unknown, none present without a value, every value within its bounds. */
import { ConfigurationError } from '../errors.js';

/** For each option what makes a value of what was given, or throws {@link ConfigurationError}. */
export type Rules<T> = { readonly [Key in keyof T]-?: (field: string, value: unknown) => T[Key] };

/** Options without a default must be given. */
export function checkGroup<T extends object>(field: string, given: unknown, rules: Rules<T>, defaults: Partial<T> = {}): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigurationError(field, given, `must be an object with ${Object.keys(rules).join(', ')}`);
  }
  const values: Readonly<Record<string, unknown>> = { ...given };
  for (const [name, value] of Object.entries(values)) {
    // A misspelt limit would be one that is silently missing.
    if (!Object.hasOwn(rules, name))
      throw new ConfigurationError(`${field}.${name}`, value, `is not an option: one of ${Object.keys(rules).join(', ')}`);
  }
  const complete: Partial<T> = { ...defaults };
  for (const name in rules) {
    // Inherited, or hidden, it would not be read: a limit that is given and not in force.
    if (name in given && !Object.hasOwn(values, name)) {
      throw new ConfigurationError(`${field}.${name}`, undefined, 'must be a plain property of the options themselves');
    }
    // Present and undefined is a limit gone missing, not one left out.
    if (Object.hasOwn(values, name)) complete[name] = rules[name](`${field}.${name}`, values[name]);
  }
  if (!isComplete(complete, rules)) {
    const missing = Object.keys(rules).find((name) => !Object.hasOwn(complete, name));
    throw new ConfigurationError(`${field}.${missing}`, undefined, 'must be given');
  }
  return complete;
}

function isComplete<T extends object>(values: Partial<T>, rules: Rules<T>): values is T {
  return Object.keys(rules).every((name) => Object.hasOwn(values, name));
}
