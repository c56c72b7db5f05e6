/** Replays the venue's own events: which positions and orders stood when, and who moved them. */
import type { VenueEvent } from '../brokers/paper/index.js';

export type Fill = Extract<VenueEvent, { kind: 'fill' }>;
export type Request = Extract<VenueEvent, { kind: 'request' }>;

export interface BookAt {
  /** Signed quantity of each open position, by `symbol/positionSide`. */
  readonly positions: ReadonlyMap<string, number>;
  /** Ids of the orders that were accepted and had not ended. */
  readonly openOrders: ReadonlySet<string>;
}

const EPSILON = 1e-9;

/** The books of one account after every event up to `untilMs` (the venue's monotonic clock). */
export function bookAt(events: readonly VenueEvent[], account: string, untilMs = Infinity): BookAt {
  const positions = new Map<string, number>();
  const openOrders = new Map<string, number>();
  for (const event of events) {
    if (event.atMs > untilMs) break;
    if (!('account' in event) || event.account !== account) continue;
    if (event.kind === 'accepted') openOrders.set(event.orderId, event.quantity);
    if (event.kind === 'canceled' || event.kind === 'expired') openOrders.delete(event.orderId);
    if (event.kind === 'fill') {
      const left = (openOrders.get(event.orderId) ?? 0) - event.quantity;
      if (left > EPSILON) openOrders.set(event.orderId, left);
      else openOrders.delete(event.orderId);
    }
    if (event.kind === 'fill' || event.kind === 'seeded') {
      const key = `${event.symbol}/${event.positionSide}`;
      if (Math.abs(event.positionAfter) > EPSILON) positions.set(key, event.positionAfter);
      else positions.delete(key);
    }
  }
  return { positions, openOrders: new Set(openOrders.keys()) };
}

/** Picks senders by the name that the venue's books carry. */
export type IsSource = (source: string) => boolean;

export function fillsOf(events: readonly VenueEvent[], account: string, from: IsSource): readonly Fill[] {
  return events.filter((event): event is Fill => event.kind === 'fill' && event.account === account && from(event.source));
}

/** Orders that arrived from one sender, whatever became of them. */
export function ordersFrom(events: readonly VenueEvent[], account: string, from: IsSource): readonly Request[] {
  return events.filter(
    (event): event is Request => event.kind === 'request' && event.what === 'submit' && event.account === account && from(event.source),
  );
}

/** A close that made a position larger, or turned it round. */
export function increasedExposure(fill: Fill): boolean {
  const turned = fill.positionBefore * fill.positionAfter < -EPSILON;
  return turned || Math.abs(fill.positionAfter) > Math.abs(fill.positionBefore) + EPSILON;
}

/** The moment of the event that left the account without positions and working orders for good; undefined: it never was. */
export function emptySinceMs(events: readonly VenueEvent[], account: string, fromMs: number): number | undefined {
  const own = events.filter((event) => 'account' in event && event.account === account);
  const last = bookAt(own, account);
  if (last.positions.size > 0 || last.openOrders.size > 0) return undefined;
  const moving = own.filter((event) => ['fill', 'canceled', 'expired', 'accepted'].includes(event.kind));
  return Math.max(fromMs, moving.at(-1)?.atMs ?? fromMs);
}
