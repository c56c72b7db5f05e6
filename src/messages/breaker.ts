/** `breaker:<strategy>`: the trips of one strategy's breakers that nobody has reset. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

/** The latch of one strategy. */
export function breakerLatch(strategyId: string): string {
  return `breaker:${strategyId}`;
}

export interface StoredTrip {
  readonly id: string;
  readonly type: string;
  readonly reasonCode: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly sinceWallMs: number;
}

export interface StoredBreaker {
  readonly strategyId: string;
  /** None: closed. */
  readonly trips: readonly StoredTrip[];
  readonly changedBy: string;
  readonly reason: string;
  readonly changedWallMs: number;
}

export function encodeBreaker(stored: StoredBreaker): Fields {
  return encode({
    strategy_id: stored.strategyId,
    trips: stored.trips,
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

export function decodeBreaker(fields: Fields): Decoded<StoredBreaker> {
  return decodeWith(fields, (reader) => {
    const trips = reader.json('trips');
    if (!Array.isArray(trips) || !trips.every(isStoredTrip)) return reader.fail('trips: must be a list of trips');
    return {
      strategyId: reader.text('strategy_id'),
      trips,
      changedBy: reader.text('changed_by'),
      reason: reader.text('reason'),
      changedWallMs: reader.count('ts'),
    };
  });
}
