/** The base of every error that failflat throws. Each error class lives beside its thrower. */

import type { RefusalCode } from './permission.js';

const MARK = Symbol.for('failflat.error.v1');

/** The stable codes. Programs compare these; messages are for people. */
export type FailflatErrorCode =
  | 'configuration'
  | RefusalCode
  | 'order_outcome_unknown'
  | 'bus_unavailable'
  | 'bus_unsuitable'
  | 'broker_rejected'
  | 'broker_unavailable'
  | 'rearm_refused'
  | 'rig_failed';

export class FailflatError extends Error {
  readonly code: FailflatErrorCode;
  readonly [MARK] = true;

  constructor(code: FailflatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** True for errors of any installed copy of failflat, where `instanceof` would miss those of a duplicate install. */
export function isFailflatError(error: unknown): error is FailflatError {
  return typeof error === 'object' && error !== null && MARK in error;
}

/** An option, environment variable or argument that cannot hold. The message names field, value and bound in one line. */
export class ConfigurationError extends FailflatError {
  readonly field: string;
  readonly value: unknown;
  readonly bound: string;

  constructor(field: string, value: unknown, bound: string, options?: ErrorOptions) {
    super('configuration', `${field} = ${shown(value)}: ${bound}`, options);
    this.field = field;
    this.value = value;
    this.bound = bound;
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** What to print of anything that was thrown. Never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    // A message may be anything as well: whoever joins it to a text must not fail over it.
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    // An object without a string form: its words are lost, and nothing else.
    return 'something that has no text';
  }
}

/** The system error code (`ENOSPC`, `EEXIST`, …) of anything that was thrown, if it bears one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
