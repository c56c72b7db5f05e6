/** Decides what an emergency exit does next: a plain function of what was read, what was sent and the time. */
import type { BrokerCapabilities, Position, Side, WorkingOrder } from '../broker/broker.js';
import { type Book, exposure, type LegKey, legKey, onlyReduces } from './book.js';
import { isOutstanding, type Leg, newLeg } from './legs.js';
import { isCapped, type UnclearAttempts } from './unclear.js';

export interface ExitView {
  readonly nowMs: number;
  /** The reading of this round; absent where it failed. */
  readonly book: Book | undefined;
  readonly legs: ReadonlyMap<LegKey, Leg>;
  readonly capabilities: BrokerCapabilities;
  /** False while orders of a strategy may still land and the venue would not cap our close: see {@link mayCloseNow}. */
  readonly closingAllowed: boolean;
  /** Absent: every close that was sent before is among the legs. */
  readonly unclear?: UnclearAttempts | undefined;
  /** A reading that our own closes do not explain must stand this long before it is acted on … */
  readonly settleMs: number;
  /** … and this long while no reading has shown what the last order did: the venue may lag by more than it says. */
  readonly doubtMs: number;
}

export type ExitStep =
  | { readonly do: 'cancel'; readonly order: WorkingOrder }
  | {
      readonly do: 'query';
      readonly leg: Leg;
      /** With how much it may be sent again under its own id if the venue surely would not take it twice; 0: not now. */
      readonly resendQuantity: number;
    }
  | {
      readonly do: 'close';
      readonly leg: Leg;
      readonly side: Side;
      readonly quantity: number;
      /** Signed, as read: what this close is about to end. */
      readonly positionQuantity: number;
      /** When that reading was asked for. */
      readonly readMs: number;
      readonly reduceOnly: boolean;
      /** Protective stops of this position: cancelled and confirmed right before, put back if the close is rejected. */
      readonly stops: readonly WorkingOrder[];
    };

export type CloseStep = Extract<ExitStep, { do: 'close' }>;

export type PlanExit = (view: ExitView) => readonly ExitStep[];

/** Cancels first, then closes, largest exposure first, then questions about what is under way: one that hangs keeps no close waiting. */
export const planExit: PlanExit = (view) => {
  const queries = [...view.legs.values()]
    .filter((leg) => isQueryDue(leg, view.nowMs))
    .map((leg) => ({ do: 'query', leg, resendQuantity: resendQuantity(view, leg) }) as const);
  if (view.book === undefined) return queries;
  return [...cancels(view, view.book), ...closes(view, view.book), ...queries];
};

function isQueryDue(leg: Leg, nowMs: number): boolean {
  return isOutstanding(leg) && leg.last.fate.nextQueryMs <= nowMs;
}

/** The position may have shrunk since the order was written down: sent again, it must not be larger than what is left. */
function resendQuantity(view: ExitView, leg: Leg): number {
  if (leg.last === undefined || view.book === undefined || !view.closingAllowed) return 0;
  if (isCapped(view.capabilities, leg)) return leg.last.quantity;
  const position = view.book.positions.find((candidate) => legKey(candidate) === leg.key);
  if (position === undefined || position.quantity > 0 !== (leg.last.side === 'sell')) return 0;
  return Math.min(leg.last.quantity, Math.abs(position.quantity));
}

function cancels(view: ExitView, book: Book): readonly ExitStep[] {
  // What stands on dust protects nothing that could be closed, and an order that works keeps the account from being quiet.
  const open = new Set(book.positions.filter((position) => !isDust(position, view.capabilities)).map(legKey));
  return book.orders
    .filter((order) => !isOwnClose(view, order) && (!onlyReduces(order) || !open.has(legKey(order))))
    .map((order) => ({ do: 'cancel', order }) as const);
}

function isOwnClose(view: ExitView, order: WorkingOrder): boolean {
  const last = view.legs.get(legKey(order))?.last;
  return last !== undefined && last.clientOrderId === order.clientOrderId;
}

function closes(view: ExitView, book: Book): readonly ExitStep[] {
  if (!view.closingAllowed) return [];
  return [...book.positions]
    .sort((a, b) => exposure(b) - exposure(a))
    .filter((position) => mayClose(view, book, position))
    .map((position) => closeStep(view, book, position));
}

/** A second close while the first may still fill, or on a reading that may be older than our own fill, could flip the position. */
function mayClose(view: ExitView, book: Book, position: Position): boolean {
  if (isDust(position, view.capabilities) || mayBeSecondClose(view, book, position)) return false;
  const waitsForCancel = book.orders.some((order) => legKey(order) === legKey(position) && !onlyReduces(order) && !isOwnClose(view, order));
  if (waitsForCancel) return false;
  const leg = view.legs.get(legKey(position));
  if (leg === undefined) return true;
  if (isOutstanding(leg) || leg.blockedUntilMs > view.nowMs) return false;
  if (book.positionsSentMs - view.capabilities.readLagMs < leg.movedMs) return false;
  // With nothing to compare it to, a reading that lags by more than the venue says cannot be told from what is left.
  if (leg.expectedQuantity === undefined && leg.unclearSinceMs !== undefined && book.positionsSentMs - view.doubtMs < leg.unclearSinceMs)
    return false;
  if (leg.disagreement === undefined) return true;
  // One reading that shows our fill does not keep the next one from coming from before it.
  const isSettled = leg.expectationSeen === true && book.positionsSentMs - view.doubtMs >= leg.movedMs;
  const standsMs = isSettled ? view.settleMs : view.doubtMs;
  return book.positionsSentMs - leg.disagreement.sinceMs >= Math.max(standsMs, view.capabilities.readLagMs);
}

/** The first may be one that nobody can read any more. */
function mayBeSecondClose({ unclear, capabilities }: ExitView, book: Book, position: Position): boolean {
  if (unclear === undefined || isCapped(capabilities, position)) return false;
  return book.sentMs - capabilities.readLagMs < unclear.untilMs;
}

function closeStep(view: ExitView, book: Book, position: Position): ExitStep {
  return {
    do: 'close',
    leg: view.legs.get(legKey(position)) ?? newLeg(position.symbol, position.positionSide),
    side: position.quantity > 0 ? 'sell' : 'buy',
    quantity: Math.abs(position.quantity),
    positionQuantity: position.quantity,
    readMs: book.positionsSentMs,
    reduceOnly: isCapped(view.capabilities, position),
    stops: book.orders.filter((order) => onlyReduces(order) && legKey(order) === legKey(position) && !isOwnClose(view, order)),
  };
}

export function isDust(position: Position, capabilities: BrokerCapabilities): boolean {
  return Math.abs(position.quantity) < capabilities.minQuantity(position.symbol);
}

/** What is known about those who may still have orders on the way. */
export interface DrainView {
  /** When the halt was committed, on this worker's clock; absent: not yet. */
  readonly haltedMs: number | undefined;
  /** Halt committed + lease time-to-live + longest registered broker timeout; absent while the halt is not committed. */
  readonly horizonMs: number | undefined;
  /** Registered holders that have not said that they are drained without unknown outcomes. */
  readonly silentHolders: readonly string[];
}

/**
 * A strategy's reducing order that is still on its way and our close would together flip the position unless the venue
 * caps ours. So closes wait until every holder is drained: for `graceMs` where the venue says that it enforces
 * reduce-only, until the horizon where it does not.
 */
export function mayCloseNow(
  drain: DrainView,
  capabilities: BrokerCapabilities,
  startedMs: number,
  graceMs: number,
  nowMs: number,
): boolean {
  if (drain.silentHolders.length === 0) return true;
  if (capabilities.reduceOnly === 'enforced') return nowMs >= startedMs + graceMs;
  return drain.horizonMs !== undefined && nowMs >= drain.horizonMs;
}
