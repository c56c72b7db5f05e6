/** What one process knows of its own closes from one run to the next: more than was written down before they were sent. */
import type { LegKey } from './book.js';
import type { ExitLedger } from './ledger.js';
import { isOutstanding, type Leg, SUPERSEDED_DOUBT_MS } from './legs.js';

interface KnownLeg {
  readonly leg: Leg;
  /** Of the run that knew it. */
  readonly turn: number | undefined;
}

type Turn = Pick<ExitLedger, 'turn' | 'orderPrefix'>;

export class CloseMemory {
  readonly #known = new Map<LegKey, KnownLeg>();

  /** Adds to `legs`, which hold what was written down, what is known beyond that. */
  recall(legs: Map<LegKey, Leg>, ledger: Turn, nowMs: number): void {
    for (const [key, { leg, turn }] of this.#known) {
      if (leg.last === undefined || leg.last.number < (legs.get(key)?.last?.number ?? 0)) continue;
      const isOurs = leg.last.clientOrderId.startsWith(`${ledger.orderPrefix}-`);
      const isNext = turn !== undefined && ledger.turn === turn + 1;
      if (!isOutstanding(leg)) {
        // Whoever acted in between may have sent the same again, without knowing that it had ended.
        if (isOurs && isNext) legs.set(key, leg);
      } else if (isOurs || nowMs - leg.last.sentMs <= SUPERSEDED_DOUBT_MS) {
        const mayBeResent = isOurs && ledger.turn !== undefined && !isNext;
        legs.set(key, mayBeResent ? { ...leg, last: { ...leg.last, sentMs: nowMs } } : leg);
      }
    }
  }

  /** The run has ended. `isOver`: with nothing of it under way. */
  remember(legs: ReadonlyMap<LegKey, Leg>, { turn }: Turn, isOver: boolean): void {
    for (const [key, leg] of legs) {
      if (isOutstanding(leg) || (turn !== undefined && !isOver)) this.#known.set(key, { leg, turn });
      else this.#known.delete(key);
    }
  }
}
