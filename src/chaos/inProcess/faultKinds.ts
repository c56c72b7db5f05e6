/** What can go wrong with a call: the types of chaos, how each of them behaves, and the errors that a real system would throw. */
import type { Random } from '../../random.js';

export const CHAOS_TYPES = ['network', 'disk_io', 'timeout', 'memory', 'process'] as const;
export type ChaosType = (typeof CHAOS_TYPES)[number];

/**
 * `error`: fails before it has had an effect. `latency`: begins late. `outcome`: answers what the configuration makes up, without an
 * effect. `hang`: no answer and no effect until the hang ends. `effect-then-timeout`: takes effect, and the answer is lost.
 * `duplicate`: takes effect twice. `reorder`: takes effect after a later call of the same target.
 */
export const CHAOS_BEHAVIOURS = ['error', 'latency', 'outcome', 'hang', 'effect-then-timeout', 'duplicate', 'reorder'] as const;
export type ChaosBehaviour = (typeof CHAOS_BEHAVIOURS)[number];

/** What each type does where nobody chooses otherwise. `outcome` is any type's, once the configuration says what is answered. */
export const BEHAVIOURS_OF: Readonly<Record<ChaosType, readonly ChaosBehaviour[]>> = {
  network: ['error', 'latency', 'effect-then-timeout', 'duplicate', 'reorder'],
  disk_io: ['error', 'latency'],
  timeout: ['hang', 'effect-then-timeout'],
  memory: ['error'],
  process: ['error'],
};

interface SystemFailure {
  readonly code?: string;
  readonly message: string;
  readonly make: (message: string) => Error;
}

const plain = (message: string): Error => new Error(message);

const FAILURES: Readonly<Record<ChaosType, readonly SystemFailure[]>> = {
  network: [
    { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED', make: plain },
    { code: 'ENETUNREACH', message: 'connect ENETUNREACH', make: plain },
    { code: 'EAI_AGAIN', message: 'getaddrinfo EAI_AGAIN', make: plain },
  ],
  disk_io: [
    { code: 'ENOSPC', message: 'ENOSPC: no space left on device, write', make: plain },
    { code: 'EIO', message: 'EIO: i/o error, write', make: plain },
    { code: 'EROFS', message: 'EROFS: read-only file system, open', make: plain },
  ],
  timeout: [{ code: 'ETIMEDOUT', message: 'no answer: ETIMEDOUT', make: plain }],
  // As V8 throws it where memory runs out: without a code.
  memory: [{ message: 'Array buffer allocation failed', make: (message) => new RangeError(message) }],
  process: [
    { code: 'EAGAIN', message: 'spawn EAGAIN', make: plain },
    { code: 'EPIPE', message: 'write EPIPE', make: plain },
  ],
};

/** The answer was on its way when the connection went. */
const LOST_ANSWER: SystemFailure = { code: 'ECONNRESET', message: 'read ECONNRESET', make: plain };
const NO_ANSWER: SystemFailure = { code: 'ETIMEDOUT', message: 'no answer: ETIMEDOUT', make: plain };

const injected = new WeakSet<object>();

function errorOf({ code, message, make }: SystemFailure, target: string): Error {
  const error = make(`${message} (injected at ${target})`);
  if (code !== undefined) Object.assign(error, { code });
  injected.add(error);
  return error;
}

/** An error as the system would throw it before the call has had an effect. */
export function failureOf(type: ChaosType, target: string, random: Random): Error {
  const choices = FAILURES[type];
  const [first] = choices;
  const chosen = choices[random.below(choices.length)] ?? first ?? NO_ANSWER;
  return errorOf(chosen, target);
}

/** Of a call whose answer never came: after its effect, or out of a hang. */
export function noAnswer(type: ChaosType, target: string): Error {
  return errorOf(type === 'network' ? LOST_ANSWER : NO_ANSWER, target);
}

/** True for an error that this copy of failflat injected: what is thrown beside it is the subject's own. */
export function isInjected(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && injected.has(thrown);
}

/** What `fail` throws, in whatever words, is injected as well. */
export function markThrown<R>(fail: () => R): R {
  try {
    return fail();
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null) injected.add(thrown);
    throw thrown;
  }
}
