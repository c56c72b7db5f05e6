/** Decides what the order door is told, for each intent. */
import type { IntentKind, Refusal } from '../permission.js';
import type { LeaseDecision } from './decideLease.js';

export const LEASE_NAME = 'trading_lease';

const refusal = (code: Refusal['code'], reason: string, sinceWallMs?: number): Refusal => ({
  code,
  source: LEASE_NAME,
  reason,
  ...(sinceWallMs === undefined ? {} : { sinceWallMs }),
});

function increaseAnswer(decision: LeaseDecision): Refusal | undefined {
  switch (decision.kind) {
    case 'held':
      return undefined;
    case 'halted':
      return refusal('trading_halted', decision.why, decision.sinceWallMs);
    case 'reducing':
      return refusal('trading_reducing', decision.why, decision.sinceWallMs);
    case 'suspended':
      return refusal('lease_expired', decision.why);
    case 'missing':
      return refusal('lease_missing', decision.why);
  }
}

/** What stands at the door for reductions. */
export interface ReduceDoor {
  readonly closed: boolean;
  readonly venueEnforcesReduceOnly: boolean;
  readonly exitDoubt: string | undefined;
}

/**
 * Cancels always pass. Reductions pass in every state except while an exit is under way, or may be for all that this holder
 * knows: two closers could flip a position. An intent that nobody knows is treated as one that adds risk.
 */
export function leaseAnswer(decision: LeaseDecision, intent: IntentKind, door: ReduceDoor): Refusal | undefined {
  if (intent === 'cancel') return undefined;
  if (intent !== 'reduce') return increaseAnswer(decision);
  if (door.closed) return refusal('lease_missing', 'the lease is closed: this holder has said that it sends nothing more');
  if (door.venueEnforcesReduceOnly) return undefined;
  const exit = decision.kind === 'halted' ? decision.halts.find((halt) => halt.kind === 'exit') : undefined;
  if (exit === undefined) {
    if (door.exitDoubt === undefined) return undefined;
    return refusal('lease_expired', `an exit may be under way, and only its worker would close: ${door.exitDoubt}`);
  }
  return refusal('exit_in_progress', `only the exit worker closes now: ${exit.reason}`, exit.sinceWallMs);
}
