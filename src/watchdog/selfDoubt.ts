/**
 * The watchdog's doubt in itself: a clock that counts only time in which it was awake and in contact, and the question
 * whether it may accuse anybody now. Pure: each step returns the next state.
 */

export interface SelfDoubtLimits {
  /** A gap between two ticks above this is a stall of our own: the tick interval plus the tolerated lateness. */
  readonly tickGapMs: number;
  /** Contact not proved anew for longer than this is lost. */
  readonly contactMaxAgeMs: number;
  /** How much healthy time the beats get after a stall or loss of contact before anybody is accused. */
  readonly reconnectAllowanceMs: number;
}

export interface SelfDoubt {
  /** Time in which the watchdog was healthy: the clock of all ages. Never runs backwards. */
  readonly healthyMs: number;
  readonly tickedMs: number;
  /** When the last probe that succeeded was sent. */
  readonly contactMs: number;
  /** Why it doubts itself; undefined: it does not. */
  readonly doubt: 'starting' | 'stalled' | 'no_contact' | undefined;
  /** Only a probe sent after this ends the doubt. */
  readonly doubtedMs: number;
  /** The reading of `healthyMs` from which on it may accuse. */
  readonly trustedFromMs: number;
}

/** Recoveries that follow each other faster than the allowance must not put accusations off for ever. */
const MAX_ALLOWANCES = 3;

export function startDoubting(nowMs: number): SelfDoubt {
  return { healthyMs: 0, tickedMs: nowMs, contactMs: nowMs, doubt: 'starting', doubtedMs: nowMs, trustedFromMs: 0 };
}

/** Call at every wake-up, before anything else is made of it. */
export function tick(state: SelfDoubt, nowMs: number, limits: SelfDoubtLimits): SelfDoubt {
  const gapMs = Math.max(0, nowMs - state.tickedMs);
  // A stall counts as one tolerated gap: a host that is always late still sees time pass, if slowly.
  const credited = state.doubt === undefined || state.doubt === 'stalled' ? Math.min(gapMs, limits.tickGapMs) : 0;
  const ticked = { ...state, tickedMs: Math.max(nowMs, state.tickedMs), healthyMs: state.healthyMs + credited };
  // In doubt already: another stall asks for no other proof, or a host that is always late would never be done proving.
  if (state.doubt !== undefined) return ticked;
  if (gapMs > limits.tickGapMs) return doubting(ticked, 'stalled', nowMs);
  return nowMs - state.contactMs > limits.contactMaxAgeMs ? lostContact(ticked, nowMs) : ticked;
}

/** A probe failed, or no probe has succeeded for too long: nothing since the last good one counts as silence of others. */
export function lostContact(state: SelfDoubt, nowMs: number): SelfDoubt {
  return doubting(state, 'no_contact', nowMs);
}

function doubting(state: SelfDoubt, doubt: 'stalled' | 'no_contact', nowMs: number): SelfDoubt {
  return { ...state, doubt, doubtedMs: nowMs };
}

export function provedContact(state: SelfDoubt, sentMs: number): SelfDoubt {
  return sentMs > state.contactMs ? { ...state, contactMs: sentMs } : state;
}

/** Everything that the bus holds was read after contact was proved by a probe sent at `probeSentMs`. */
export function recovered(state: SelfDoubt, probeSentMs: number, limits: SelfDoubtLimits): SelfDoubt {
  if (state.doubt === undefined || probeSentMs < state.doubtedMs) return state;
  return { ...provedContact(state, probeSentMs), doubt: undefined, trustedFromMs: state.healthyMs + limits.reconnectAllowanceMs };
}

/** How long until an accusation that was due `overdueMs` ago may be made: 0 is now, undefined while in doubt. */
export function accusableInMs(state: SelfDoubt, overdueMs: number, limits: SelfDoubtLimits): number | undefined {
  if (state.doubt !== undefined) return undefined;
  const untilTrustedMs = Math.max(0, state.trustedFromMs - state.healthyMs);
  return Math.min(untilTrustedMs, Math.max(0, MAX_ALLOWANCES * limits.reconnectAllowanceMs - overdueMs));
}
