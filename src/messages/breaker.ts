/** `breaker:<strategy>`: the trips of one strategy's breakers that nobody has reset. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

/** The latch of one strategy. */
export function breakerLatch(strategyId: string): string {
  return `breaker:${strategyId}`;
}

/** Changes whenever the trips of some strategy have changed. */
export const BELL_LATCH = 'breakers:changed';

/** Which strategies they are of. */
export function encodeRing(strategyIds: readonly string[]): Fields {
  return encode({ strategy_ids: strategyIds });
}

/** Undefined where it cannot be understood. */
export function decodeRing(fields: Fields): readonly string[] | undefined {
  const decoded = decodeWith(fields, (reader) => reader.json('strategy_ids'));
  const ids: unknown = decoded.ok ? decoded.value : undefined;
  return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : undefined;
}

export interface StoredTrip {
  readonly id: string;
  readonly type: string;
  readonly reasonCode: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly sinceWallMs: number;
}

/** How trips ended: by a person, by one who took equity and day as they are now, or by orders that were tried. */
export type ResetKind = 'reset' | 'rebase' | 'probe';

/** The end of some trips. A process that still holds one of them learns from it that it may let go. */
export interface StoredReset {
  readonly id: string;
  /** Of the trips. None of them stands in `trips`. */
  readonly ids: readonly string[];
  readonly by: string;
  readonly reason: string;
  readonly how: ResetKind;
}

export interface StoredBreaker {
  readonly strategyId: string;
  /** None: closed. */
  readonly trips: readonly StoredTrip[];
  /** The newest ones, oldest first. */
  readonly resets: readonly StoredReset[];
  readonly changedBy: string;
  readonly reason: string;
  readonly changedWallMs: number;
}

export function encodeBreaker(stored: StoredBreaker): Fields {
  return encode({
    strategy_id: stored.strategyId,
    trips: stored.trips,
    resets: stored.resets,
    changed_by: stored.changedBy,
    reason: stored.reason,
    ts: Math.round(stored.changedWallMs),
  });
}

function isStoredTrip(entry: unknown): entry is StoredTrip {
  if (typeof entry !== 'object' || entry === null) return false;
  const { id, type, reasonCode, message, details, sinceWallMs }: Partial<Record<keyof StoredTrip, unknown>> = entry;
  return (
    [id, type, reasonCode, message].every((text) => typeof text === 'string') &&
    typeof details === 'object' &&
    details !== null &&
    typeof sinceWallMs === 'number'
  );
}

function isStoredReset(entry: unknown): entry is Omit<StoredReset, 'how'> & { readonly how: string } {
  if (typeof entry !== 'object' || entry === null) return false;
  const { id, ids, by, reason, how }: Partial<Record<keyof StoredReset, unknown>> = entry;
  return (
    [id, by, reason, how].every((text) => typeof text === 'string') && Array.isArray(ids) && ids.every((text) => typeof text === 'string')
  );
}

// A newer version may know more ways: whichever it was, it began nothing but streaks and sums again.
const kindOf = (how: string): ResetKind => (how === 'rebase' || how === 'probe' ? how : 'reset');

export function decodeBreaker(fields: Fields): Decoded<StoredBreaker> {
  return decodeWith(fields, (reader) => {
    const trips = reader.json('trips');
    if (!Array.isArray(trips) || !trips.every(isStoredTrip)) return reader.fail('trips: must be a list of trips');
    const resets = reader.optional('resets') === undefined ? [] : reader.json('resets');
    if (!Array.isArray(resets) || !resets.every(isStoredReset)) return reader.fail('resets: must be a list of resets');
    return {
      strategyId: reader.text('strategy_id'),
      trips,
      resets: resets.map((reset) => ({ ...reset, how: kindOf(reset.how) })),
      changedBy: reader.text('changed_by'),
      reason: reader.text('reason'),
      changedWallMs: reader.count('ts'),
    };
  });
}
