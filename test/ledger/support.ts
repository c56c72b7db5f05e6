/** Small helpers for the ledger's tests: a ledger at a fixed time, fills with everything that does not matter filled in. */
import {
  createLedger,
  type Ledger,
  type LedgerFill,
  type LedgerOptions,
  type RealisedResult,
  type RecordOutcome,
} from '../../src/index.js';
import { ManualClock } from '../../src/testing/manualClock.js';

/** Noon of 2024-03-01. */
export const NOON_MS = Date.UTC(2024, 2, 1, 12);

let number = 0;

/** Each has an id of its own, and is a millisecond younger than the one made before: all files share the count, and noon stays near. */
export function fill(side: 'buy' | 'sell', quantity: string | number, price: string | number, rest: Partial<LedgerFill> = {}): LedgerFill {
  number += 1;
  return { id: `f${number}`, account: 'main', symbol: 'AAPL', side, quantity, price, time: NOON_MS + number, ...rest };
}

export const aDayLater = (): ManualClock => new ManualClock({ wallMs: NOON_MS + 86_400_000 });

export async function ledgerWith(fills: readonly LedgerFill[], options: LedgerOptions = {}): Promise<Ledger> {
  const ledger = await createLedger({ clock: aDayLater(), ...options });
  for (const each of fills) {
    const outcome = ledger.record(each);
    if (outcome.status === 'refused') throw new Error(outcome.refusal.message);
  }
  return ledger;
}

export const pnls = (results: readonly Pick<RealisedResult, 'pnl'>[]): string[] => results.map(({ pnl }) => pnl);

/** The results that this report brought, or its status where it brought none. */
export const told = (outcome: RecordOutcome): unknown => ('realised' in outcome ? pnls(outcome.realised) : outcome.status);
