/** The options of a guard, checked by hand: the import of the library must stay light. */
import { checkDurationMs, checkText } from '../checks.js';
import type { Clock } from '../clock.js';
import { ConfigurationError, isFailflatError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { IntentKind, Permission } from '../permission.js';
import { isIntent, isRefusalCode } from './door.js';
import type { OrderRefusal, Settled } from './errors.js';
import type { ShutdownGate } from './gate.js';
import { PROTOCOL_VERSION } from './protocol.js';
import type { ReduceProof } from './reductions.js';

export { DEFAULT_DRAIN_TIMEOUT_MS } from './protocol.js';

export const DEFAULT_MAX_POSITION_AGE_MS = 1_000;
export const DEFAULT_SEND_WITHIN_MS = 2_000;

/** What the door saw. `unknown`: the caller's wait ended first. `lateSettled`: how such a call ended after all. */
export type GuardEvent =
  | { readonly type: 'admitted'; readonly entryId: number; readonly label: string; readonly intent: IntentKind }
  | { readonly type: 'refused'; readonly label: string; readonly intent: IntentKind; readonly refusal: OrderRefusal }
  | {
      readonly type: 'settled' | 'lateSettled';
      readonly entryId: number;
      readonly label: string;
      readonly ageMs: number;
      readonly settled: Settled<unknown>;
    }
  | { readonly type: 'unknown'; readonly entryId: number; readonly label: string; readonly ageMs: number };

/** What the door itself needs, whatever sends the order. */
export interface DoorOptions {
  /** Default: the process-wide gate. */
  readonly gate?: ShutdownGate;
  readonly killSwitch?: Permission;
  readonly lease?: Permission;
  readonly breakers?: Permission;
  /** Any others. All must allow an order that increases or reduces. A cancel asks the gate alone: a halt never blocks it. */
  readonly permissions?: readonly Permission[];
  /** The oldest position that a proof may stand on. Default 1,000 ms. */
  readonly maxPositionAgeMs?: number;
  /** When the broker client's own call surely settles: what a drain must cover. Default: not stated. */
  readonly brokerTimeoutMs?: number;
  /** Told of each event after the fact; nothing it does changes a result. */
  readonly observe?: (event: GuardEvent) => void;
  /** Default: the gate's clock. */
  readonly clock?: Clock;
}

/** Durable before sent: see docs/intent-log.md. */
export interface IntentLogOption<P extends readonly unknown[]> {
  /** Made where it is missing. Several processes may share it: an id is sent once by all of them together. */
  readonly directory: string;
  /** The id that the venue knows the order by. One that throws, or answers no text, refuses the order. */
  readonly clientOrderId: (...args: P) => string;
  /** What the broker's query needs beside the id. Default: the empty text. */
  readonly symbol?: (...args: P) => string;
  /** An intent that is older than this when it could be sent is not sent. Default 2,000 ms. */
  readonly sendWithinMs?: number;
  /** Told of outcomes that could not be written. Default: silent. */
  readonly logger?: Logger;
}

/** `P` is the parameter list of the guarded function. */
export interface GuardOptions<P extends readonly unknown[]> extends DoorOptions {
  /** What an order does. Default `increase`. A function that throws or answers anything else refuses the order. */
  readonly intent?: IntentKind | ((...args: P) => IntentKind);
  /** Proof for `reduce`, synchronously, from the caller's cached position. Without one every `reduce` is refused `not_reducing`. */
  readonly verifyReduce?: (...args: P) => ReduceProof | undefined;
  /** What an order is called in reports: best its client order id. Default `order`. */
  readonly label?: (...args: P) => string;
  /** How long the caller waits. The slot is kept until the call settles. Default: as long as the call takes. */
  readonly submissionTimeoutMs?: number;
  /** What a rejection of the call means. Default: `refused` for an error with code `broker_rejected`, else `unknown`. */
  readonly outcomeOf?: (error: unknown) => 'refused' | 'unknown';
  /** Keeps each order on disk before it is sent. The call then begins some file writes after the admission. Default: none. */
  readonly intentLog?: IntentLogOption<P>;
}

/** Only what says so itself was surely not sent, as a guard within does; every other rejection leaves the order's fate unknown. */
export function defaultOutcomeOf(error: unknown): 'refused' | 'unknown' {
  return isFailflatError(error) && (error.code === 'broker_rejected' || isRefusalCode(error.code)) ? 'refused' : 'unknown';
}

const PERMISSION_OPTIONS = ['killSwitch', 'lease', 'breakers'] as const;
const DOOR_OPTIONS = [...PERMISSION_OPTIONS, 'permissions', 'gate', 'maxPositionAgeMs', 'brokerTimeoutMs', 'observe', 'clock'];
const GUARD_OPTIONS = [...DOOR_OPTIONS, 'verifyReduce', 'label', 'outcomeOf', 'submissionTimeoutMs', 'intent', 'intentLog'];
const INTENT_LOG_OPTIONS = ['directory', 'clientOrderId', 'symbol', 'sendWithinMs', 'logger'];
const FUNCTION_OPTIONS = ['verifyReduce', 'label', 'outcomeOf', 'observe'] as const;
const DURATION_OPTIONS = ['maxPositionAgeMs', 'submissionTimeoutMs', 'brokerTimeoutMs'] as const;

function checkPermission(field: string, value: unknown): void {
  const permission: Partial<Record<keyof Permission, unknown>> = typeof value === 'object' && value !== null ? value : {};
  if (typeof permission.name !== 'string' || typeof permission.check !== 'function') {
    throw new ConfigurationError(field, value, 'must be a permission: an object with a name and a check function');
  }
  const { brokerTimeoutMs } = permission;
  if (brokerTimeoutMs !== undefined) checkDurationMs(`${field}.brokerTimeoutMs`, brokerTimeoutMs, { min: 1 });
}

function checkPermissions(options: Readonly<Record<string, unknown>>): void {
  for (const field of PERMISSION_OPTIONS) {
    // Present and undefined is a safety input gone missing, not one left out.
    if (field in options) checkPermission(field, options[field]);
  }
  const { permissions }: { readonly permissions?: unknown } = options;
  if (!('permissions' in options)) return;
  if (!Array.isArray(permissions)) throw new ConfigurationError('permissions', permissions, 'must be an array of permissions');
  permissions.forEach((permission, index) => checkPermission(`permissions[${index}]`, permission));
}

export function checkGate(field: string, gate: unknown): void {
  const protocol: unknown = typeof gate === 'object' && gate !== null && 'protocol' in gate ? gate.protocol : undefined;
  const version: unknown = typeof protocol === 'object' && protocol !== null && 'version' in protocol ? protocol.version : undefined;
  if (version !== PROTOCOL_VERSION) {
    throw new ConfigurationError(field, gate, `must be a shutdown gate that speaks protocol version ${PROTOCOL_VERSION}`);
  }
}

function checkIntentLog(given: unknown): void {
  const log: Partial<Record<keyof IntentLogOption<[]>, unknown>> = typeof given === 'object' && given !== null ? given : {};
  for (const field of Object.keys(log)) {
    if (!INTENT_LOG_OPTIONS.includes(field))
      throw new ConfigurationError(`intentLog.${field}`, given, `is not an option: one of ${INTENT_LOG_OPTIONS.join(', ')}`);
  }
  if (checkText('intentLog.directory', log.directory).includes('\0'))
    throw new ConfigurationError('intentLog.directory', log.directory, 'must be the path of a directory');
  if (typeof log.clientOrderId !== 'function')
    throw new ConfigurationError('intentLog.clientOrderId', log.clientOrderId, 'must be a function that answers the id of an order');
  if (log.symbol !== undefined && typeof log.symbol !== 'function')
    throw new ConfigurationError('intentLog.symbol', log.symbol, 'must be a function');
  if (log.sendWithinMs !== undefined) checkDurationMs('intentLog.sendWithinMs', log.sendWithinMs, { min: 1 });
}

function checkKnown(options: object, known: readonly string[]): void {
  for (const [field, value] of Object.entries(options)) {
    // A misspelt safeguard would be one that is silently missing.
    if (!known.includes(field)) throw new ConfigurationError(field, value, `is not an option: one of ${known.join(', ')}`);
  }
}

function checkValues(given: Readonly<Record<string, unknown>>): void {
  checkPermissions(given);
  for (const field of FUNCTION_OPTIONS) {
    if (given[field] !== undefined && typeof given[field] !== 'function')
      throw new ConfigurationError(field, given[field], 'must be a function');
  }
  for (const field of DURATION_OPTIONS) if (given[field] !== undefined) checkDurationMs(field, given[field], { min: 1 });
  if ('gate' in given) checkGate('gate', given['gate']);
}

/** Throws {@link ConfigurationError} for the first option of a door that cannot hold. */
export function checkDoorOptions(options: object): void {
  checkKnown(options, DOOR_OPTIONS);
  checkValues({ ...options });
}

/** Throws {@link ConfigurationError} for the first option of a guard that cannot hold. */
export function checkGuardOptions(fn: unknown, options: object): void {
  if (typeof fn !== 'function') throw new ConfigurationError('fn', fn, 'must be the function that sends the order');
  checkKnown(options, GUARD_OPTIONS);
  const { intent, ...given }: { readonly intent?: unknown } = options;
  checkValues(given);
  if ('intentLog' in given) checkIntentLog(given.intentLog);
  if (intent !== undefined && typeof intent !== 'function' && !isIntent(intent)) {
    throw new ConfigurationError('intent', intent, 'must be one of increase, reduce, cancel, or a function that answers one');
  }
}
