/** What became of the close attempts of one position: plain state and its transitions. */
import type { OrderReport, OrderStatus, PositionSide, Side } from '../broker/broker.js';
import type { CloseAttempt } from '../messages/closeAttempt.js';
import { derivedId } from '../random.js';
import { type LegKey, legKey } from './book.js';

/** The fate of one close order. Only a terminal one allows the next attempt number. */
export type AttemptFate =
  /** Sent, or perhaps sent by a predecessor, and nobody has answered for it yet. */
  | { readonly kind: 'unknown'; readonly notFound: number; readonly nextQueryMs: number }
  /** The venue holds it. */
  | { readonly kind: 'working'; readonly nextQueryMs: number }
  | {
      readonly kind: 'terminal';
      readonly status: Exclude<OrderStatus, 'working'>;
      readonly filledQuantity: number;
      readonly atMs: number;
      readonly reason?: string;
    };

export interface Attempt {
  readonly number: number;
  readonly clientOrderId: string;
  readonly side: Side;
  readonly quantity: number;
  /** When it was sent for the last time. For an inherited attempt: when this worker took it over. */
  readonly sentMs: number;
  readonly fate: AttemptFate;
  /** When the venue said that it holds the order. */
  readonly acceptedMs?: number;
  /** When a reading showed it among the open orders for the last time. */
  readonly seenOpenMs?: number;
}

/** One that may still fill. */
export type OutstandingAttempt = Attempt & { readonly fate: Exclude<AttemptFate, { kind: 'terminal' }> };

export interface Leg {
  readonly key: LegKey;
  readonly symbol: string;
  readonly positionSide: PositionSide;
  readonly last?: Attempt;
  /** What the next reading should show if nothing but our own closes moved the position. */
  readonly expectedQuantity?: number;
  /** A reading has shown the expectation since our last fill: a difference that is seen long after that is somebody else's doing. */
  readonly expectationSeen?: boolean;
  /** A reading that disagrees with the expectation, and since when it has been the same. */
  readonly disagreement?: { readonly quantity: number; readonly sinceMs: number };
  /** The last own fill or confirmed cancel: a reading that could predate it is not acted on. */
  readonly movedMs: number;
  /** When an order had ended that may have moved the position by who knows how much. */
  readonly unclearSinceMs?: number;
  /** Rejected closes in a row. */
  readonly rejections: number;
  readonly lastRejection?: string;
  readonly blockedUntilMs: number;
}

export function newLeg(symbol: string, positionSide: PositionSide): Leg {
  return { key: legKey({ symbol, positionSide }), symbol, positionSide, movedMs: -Infinity, rejections: 0, blockedUntilMs: -Infinity };
}

/** As people know the leg where that is short and says it all; otherwise with a mark that tells it from others that look alike. */
function legName(key: LegKey): string {
  const [plain] = /^[A-Za-z0-9]{1,18}(?=\/net$)/.exec(key) ?? [];
  return plain ?? `${key.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 10)}.${derivedId(key).slice(0, 8)}`;
}

/** The same for every worker of an incident: a successor finds by it what its predecessor sent. */
export function closeOrderId(prefix: string, key: LegKey, attempt: number): string {
  return `${prefix}-${legName(key)}-${attempt}`;
}

/** Ids of one incident on one bus: a bus that was set up anew begins at epoch 1 again and must not meet its predecessor's ids. */
export function orderPrefix(busName: string, incident: string): string {
  return `ff-${derivedId(`${busName}/${incident}`).slice(0, 8)}`;
}

export function isOutstanding(leg: Leg): leg is Leg & { readonly last: OutstandingAttempt } {
  return leg.last !== undefined && leg.last.fate.kind !== 'terminal';
}

export interface InheritedAttempt extends CloseAttempt {
  /** Nothing of it is under way any more: only its number and its id are taken. */
  readonly ended: boolean;
}

/** Takes over what predecessors wrote down before they sent it: each last attempt is unknown until the venue has been asked. */
export function inheritLegs(attempts: readonly InheritedAttempt[], nowMs: number): Map<LegKey, Leg> {
  const legs = new Map<LegKey, Leg>();
  for (const attempt of attempts) {
    const key = legKey(attempt);
    const { clientOrderId, side, quantity, ended } = attempt;
    const fate: AttemptFate = ended
      ? { kind: 'terminal', status: 'expired', filledQuantity: 0, atMs: nowMs }
      : { kind: 'unknown', notFound: 0, nextQueryMs: nowMs };
    legs.set(key, {
      ...newLeg(attempt.symbol, attempt.positionSide),
      // A close is as large as the position that its sender had read.
      ...(ended ? {} : { expectedQuantity: side === 'sell' ? quantity : -quantity }),
      // Numbers go on behind every earlier one: an exit that took over from another one's counts behind both.
      last: {
        number: Math.max(attempt.attempt, legs.get(key)?.last?.number ?? 0),
        clientOrderId,
        side,
        quantity,
        sentMs: nowMs,
        fate,
      },
    });
  }
  return legs;
}

/**
 * A close of an exit that was superseded may reach the venue for so long. What is older was given up by whoever armed again,
 * and must not keep today's position open where nobody can be asked about it.
 */
export const SUPERSEDED_DOUBT_MS = 60_000;

/** The attempt is about to be sent: from here on its fate is unknown until the venue answers. */
export function withSent(leg: Leg, attempt: Omit<Attempt, 'fate'>, positionQuantity: number, nextQueryMs: number): Leg {
  return {
    key: leg.key,
    symbol: leg.symbol,
    positionSide: leg.positionSide,
    last: { ...attempt, fate: { kind: 'unknown', notFound: 0, nextQueryMs } },
    expectedQuantity: positionQuantity,
    movedMs: leg.movedMs,
    rejections: leg.rejections,
    blockedUntilMs: leg.blockedUntilMs,
    ...(leg.lastRejection === undefined ? {} : { lastRejection: leg.lastRejection }),
  };
}

/** What the venue said of the last attempt. */
export function withReport(leg: Leg, report: OrderReport, nowMs: number, nextQueryMs: number): Leg {
  if (leg.last === undefined) return leg;
  if (report.status === 'working') {
    const acceptedMs = leg.last.acceptedMs ?? nowMs;
    return { ...leg, last: { ...leg.last, acceptedMs, fate: { kind: 'working', nextQueryMs } } };
  }
  const signed = leg.last.side === 'buy' ? report.filledQuantity : -report.filledQuantity;
  const fate: AttemptFate = {
    kind: 'terminal',
    status: report.status,
    filledQuantity: report.filledQuantity,
    atMs: nowMs,
    ...(report.reason === undefined ? {} : { reason: report.reason }),
  };
  const filled = report.filledQuantity > 0;
  const { expectationSeen: _before, ...rest } = leg;
  return {
    ...(filled ? rest : leg),
    last: { ...leg.last, fate },
    ...(leg.expectedQuantity === undefined ? {} : { expectedQuantity: leg.expectedQuantity + signed }),
    movedMs: nowMs,
    ...(filled ? { unclearSinceMs: nowMs } : {}),
    rejections: filled ? 0 : leg.rejections + 1,
    ...(filled ? {} : { lastRejection: report.reason ?? report.status }),
  };
}

/** The venue refused what was sent again. What was sent before under the same id may still be on its way, so its fate stays unknown. */
export function withResendRejected(leg: Leg, reason: string): Leg {
  return { ...leg, rejections: leg.rejections + 1, lastRejection: reason };
}

/** The venue answered that it has no such order: that proves nothing yet, and nothing against what it said before. */
export function withNotFound(leg: Leg, nextQueryMs: number): Leg {
  if (leg.last === undefined || leg.last.fate.kind === 'terminal') return leg;
  if (leg.last.fate.kind === 'working') return { ...leg, last: { ...leg.last, fate: { kind: 'working', nextQueryMs } } };
  return { ...leg, last: { ...leg.last, fate: { kind: 'unknown', notFound: leg.last.fate.notFound + 1, nextQueryMs } } };
}

/** The question itself failed: nothing is known that was not known before. */
export function withQueryFailed(leg: Leg, nextQueryMs: number): Leg {
  if (leg.last === undefined || leg.last.fate.kind === 'terminal') return leg;
  return { ...leg, last: { ...leg.last, fate: { ...leg.last.fate, nextQueryMs } } };
}

/** Its fate can no longer change the book (it has ended, or the venue caps what it may do), though what it filled is not known. */
export function withGivenUp(leg: Leg, nowMs: number): Leg {
  if (leg.last === undefined) return leg;
  const { expectedQuantity: _unknown, expectationSeen: _seen, ...rest } = leg;
  const fate: AttemptFate = { kind: 'terminal', status: 'expired', filledQuantity: 0, atMs: nowMs };
  return { ...rest, last: { ...leg.last, fate }, movedMs: nowMs, unclearSinceMs: nowMs };
}

export interface OpenOrdersReading {
  /** Client ids of the working orders of this leg. */
  readonly openIds: ReadonlySet<string | undefined>;
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly readLagMs: number;
  /** A venue's word about its own lag is doubted by so much. */
  readonly doubtMs: number;
}

/**
 * An order that the venue held and that is no longer among its open orders has ended. That is how an attempt is resolved
 * where ended orders cannot be found by their id.
 */
export function withOpenOrders(leg: Leg, reading: OpenOrdersReading): Leg {
  if (!isOutstanding(leg)) return leg;
  const { clientOrderId, seenOpenMs, acceptedMs } = leg.last;
  if (reading.openIds.has(clientOrderId)) {
    const { nextQueryMs } = leg.last.fate;
    return { ...leg, last: { ...leg.last, seenOpenMs: reading.receivedMs, fate: { kind: 'working', nextQueryMs } } };
  }
  // Readings may come out of turn: one that is older than the order itself does not show it either.
  const heldMs = Math.max(seenOpenMs ?? -Infinity, acceptedMs ?? -Infinity);
  const gone = heldMs > -Infinity && reading.sentMs - reading.readLagMs >= heldMs + reading.doubtMs;
  return gone ? withGivenUp(leg, reading.receivedMs) : leg;
}

/** Compares a reading with what our own closes explain; a difference must be seen again later before it is acted on. */
export function withReading(leg: Leg, quantity: number, sentMs: number): Leg {
  if (sentMs < leg.movedMs) return leg;
  const { disagreement: _dropped, ...agreed } = leg;
  if (leg.expectedQuantity === undefined) return agreed;
  if (sameQuantity(leg.expectedQuantity, quantity)) return { ...agreed, expectationSeen: true };
  if (quantity === 0) return agreed;
  if (leg.disagreement !== undefined && sameQuantity(leg.disagreement.quantity, quantity)) return leg;
  return { ...leg, disagreement: { quantity, sinceMs: sentMs } };
}

/** Venues count in decimal steps, our sums are binary: differences below a billionth of the size are none. */
export function sameQuantity(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1e-3);
}
