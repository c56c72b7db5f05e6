/** Decides which message of a group a consumer may take now. Pure: adapters observe the claims and carry the choice out. */

/** The newest claim on a message, as seen now. */
export interface ObservedClaim {
  readonly consumer: string;
  /** 1 for the first claim; each later one takes the message from its predecessor. */
  readonly attempt: number;
  readonly released: boolean;
  /** Time since this reader first saw the renewal counter stand still. */
  readonly idleMs: number;
  /** True while a delivery that this handle gave out still stands for this claim. */
  readonly heldHere: boolean;
}

export interface Candidate {
  readonly id: string;
  readonly claim: ObservedClaim | undefined;
}

/**
 * The order in which a consumer tries unacknowledged messages (given oldest first): its own of an earlier life, then new and
 * handed back ones, then those whose claim has stood still for `minIdleMs`.
 */
export function takeOrder(candidates: readonly Candidate[], consumer: string, minIdleMs: number): readonly Candidate[] {
  const own: Candidate[] = [];
  const free: Candidate[] = [];
  const stalled: Candidate[] = [];
  for (const candidate of candidates) {
    const { claim } = candidate;
    if (claim === undefined || claim.released) free.push(candidate);
    else if (claim.consumer === consumer && !claim.heldHere) own.push(candidate);
    else if (claim.idleMs >= minIdleMs) stalled.push(candidate);
  }
  return [...own, ...free, ...stalled];
}

interface Standstill {
  readonly counter: string;
  readonly sinceMs: number;
}

/** Remembers since when each claim's renewal counter has stood still in the eyes of this reader. */
export class StandstillMemory {
  readonly #seen = new Map<string, Standstill>();

  /** How long `counter` has been the same, now that it is read once more at `nowMs`. */
  idleMs(id: string, counter: string, nowMs: number): number {
    const seen = this.#seen.get(id);
    if (seen?.counter === counter) return nowMs - seen.sinceMs;
    this.#seen.set(id, { counter, sinceMs: nowMs });
    return 0;
  }

  forget(id: string): void {
    this.#seen.delete(id);
  }
}
