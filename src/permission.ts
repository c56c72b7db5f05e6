/** The one question that the order door asks of everyone who may say no. */

/** What an order does to the book: `increase` adds risk, `reduce` is proven to take it away, `cancel` withdraws an order. */
export type IntentKind = 'increase' | 'reduce' | 'cancel';

/** Refusal codes in order of precedence: where several refuse, the caller is told the first of these. */
export const REFUSAL_CODES = [
  'shutdown_requested',
  'trading_halted',
  'trading_reducing',
  'exit_in_progress',
  'kill_switch_enabled',
  'lease_missing',
  'lease_expired',
  'not_reducing',
  'duplicate_client_order_id',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number] | `circuit_breaker_${string}`;

export interface Refusal {
  readonly code: RefusalCode;
  /** Who refuses: a permission's name. */
  readonly source: string;
  /** Why, in words for an operator. */
  readonly reason: string;
  /** When the refusing state began, for people. */
  readonly sinceWallMs?: number;
  /** When it makes sense to ask again. Absent where time alone changes nothing. */
  readonly retryAfterMs?: number;
}

/** A synchronous, cheap, side-effect free gate. It must never throw; a thrower counts as a refusal. */
export interface Permission {
  readonly name: string;
  /**
   * The longest broker call that it has answered for to others, in milliseconds: a guard whose calls may take longer is refused,
   * and one that says nothing is held to it. Absent: for none.
   */
  readonly brokerTimeoutMs?: number;
  /**
   * `nowMs` is the monotonic clock, read once at the door for all permissions. `entryId` names an order that was let in before and
   * is asked about once more, right before it is sent. `wallMs` is the wall clock, read with `nowMs`; who needs it and is not told it
   * reads its own.
   */
  check(nowMs: number, intent: IntentKind, entryId?: number, wallMs?: number): Refusal | undefined;
}

/** What is still under way at the order door: the lease reports it as drained or not. */
export interface InFlightView {
  /** Orders admitted whose outcome has not settled. */
  inflight(): number;
  /** Orders that were sent and whose fate nobody knows (and nobody has resolved since). */
  unknownOutcomes(): number;
  /** How long a call may take that a guard there has begun, in milliseconds. Undefined, or absent: nobody has said. */
  longestBrokerTimeoutMs?(): number | undefined;
  /**
   * From now on a guard there whose calls may take longer than `limitMs` is refused: whoever closes the book waits no longer for `holder`.
   * Undefined lifts it.
   */
  limitBrokerTimeout?(holder: object, limitMs: number | undefined): void;
}
