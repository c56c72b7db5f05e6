/** Validation of options by hand: the root import must stay light, and a wrong option must name field, value and bound. */
import { MAX_TIMER_MS } from './clock.js';
import { ConfigurationError } from './errors.js';

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

function describe({ min, max }: Bounds, what: string): string {
  if (min !== undefined && max !== undefined) return `must be ${what} between ${min} and ${max}`;
  if (min !== undefined) return `must be ${what} of at least ${min}`;
  return max === undefined ? `must be ${what}` : `must be ${what} of at most ${max}`;
}

/** A finite number within bounds. */
export function checkNumber(field: string, value: unknown, bounds: Bounds = {}): number {
  const { min = -Infinity, max = Infinity } = bounds;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw new ConfigurationError(field, value, describe(bounds, 'a finite number'));
  }
  return value;
}

export function checkInteger(field: string, value: unknown, bounds: Bounds = {}): number {
  const number = checkNumber(field, value, bounds);
  if (!Number.isInteger(number)) throw new ConfigurationError(field, value, describe(bounds, 'a whole number'));
  return number;
}

/** A duration in milliseconds that a timer can hold. */
export function checkDurationMs(field: string, value: unknown, bounds: Bounds = {}): number {
  return checkNumber(field, value, { min: 0, max: MAX_TIMER_MS, ...bounds });
}

/** A text that is not empty. */
export function checkText(field: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw new ConfigurationError(field, value, 'must be a text that is not empty');
  return value;
}

/** A name that may stand in a stream key, a file name and a line of output. */
export function checkName(field: string, value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(value)) {
    throw new ConfigurationError(
      field,
      value,
      'must be 1 to 100 letters, digits, dots, dashes or underscores, and begin with a letter or digit',
    );
  }
  return value;
}

export function checkOneOf<T extends string>(field: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new ConfigurationError(field, value, `must be one of ${allowed.join(', ')}`);
  return found;
}
