/** Decides at the order door: asks every permission at one reading of the clock and picks the refusal that the caller is told. */
import { messageOf } from '../errors.js';
import { type IntentKind, type Permission, REFUSAL_CODES, type Refusal, type RefusalCode } from '../permission.js';

// A tripped breaker stands after the lease and before `not_reducing`, whatever its type.
const BREAKER_PREFIX = 'circuit_breaker_';
const RANK = new Map<string, number>(REFUSAL_CODES.map((code, index) => [code, index]));
const BREAKER_RANK = (RANK.get('not_reducing') ?? REFUSAL_CODES.length) - 0.5;

function rankOf(code: string): number | undefined {
  return code.startsWith(BREAKER_PREFIX) ? BREAKER_RANK : RANK.get(code);
}

/** True for the codes with which the door refuses an order. */
export function isRefusalCode(code: string): code is RefusalCode {
  return rankOf(code) !== undefined;
}

export function isIntent(value: unknown): value is IntentKind {
  return value === 'increase' || value === 'reduce' || value === 'cancel';
}

/** Doubt means halted: a permission, or a function of the caller's, that gave no clear answer. */
export function doubt(source: string, reason: string): Refusal {
  return { code: 'trading_halted', source, reason };
}

function isRefusal(answer: unknown): answer is Refusal {
  if (typeof answer !== 'object' || answer === null || !('code' in answer)) return false;
  return typeof answer.code === 'string' && isRefusalCode(answer.code);
}

// A permission written without types may leave out the words; its no still stands.
function complete({ name }: Permission, refusal: Refusal): Refusal {
  const words: Partial<Record<keyof Refusal, unknown>> = refusal;
  if (typeof words.source === 'string' && typeof words.reason === 'string') return refusal;
  return { ...refusal, source: name, reason: 'no reason given' };
}

/** What every permission is told of one order. */
interface Asked {
  readonly nowMs: number;
  readonly intent: IntentKind;
  readonly entryId?: number | undefined;
  readonly wallMs?: number | undefined;
}

function ask(permission: Permission, { nowMs, intent, entryId, wallMs }: Asked): Refusal | undefined {
  try {
    const answer: unknown = permission.check(nowMs, intent, entryId, wallMs);
    if (answer === undefined) return undefined;
    if (isRefusal(answer)) return complete(permission, answer);
    // An async check answers too late; nobody will look at how it ends.
    if (answer instanceof Promise) answer.catch(() => undefined);
    return doubt(permission.name, 'its check answered something that is neither a refusal nor undefined');
  } catch (thrown) {
    return doubt(permission.name, `its check threw: ${messageOf(thrown)}`);
  }
}

function precedes(left: RefusalCode, right: RefusalCode): boolean {
  return (rankOf(left) ?? 0) < (rankOf(right) ?? 0);
}

/** All must allow. Where several refuse, the first in the order of `REFUSAL_CODES` is told; among equals, the first asked. */
export function firstRefusal(permissions: readonly Permission[], asked: Asked): Refusal | undefined {
  let first: Refusal | undefined;
  for (const permission of permissions) {
    const refusal = ask(permission, asked);
    if (refusal !== undefined && (first === undefined || precedes(refusal.code, first.code))) first = refusal;
  }
  return first;
}
