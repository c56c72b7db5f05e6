/** What the order door rejects with. */
import { FailflatError } from '../errors.js';
import type { Refusal, RefusalCode } from '../permission.js';
import type { SubmissionOutcome } from './protocol.js';

/** A refusal as the caller gets it. */
export interface OrderRefusal extends Refusal {
  /** With `not_reducing`: the largest quantity that the given proof would have allowed. */
  readonly maxQuantity?: number;
}

/** The order surely was not sent. `code` says why, and may change between calls; see `REFUSAL_CODES`. */
export class OrderRefusedError extends FailflatError implements OrderRefusal {
  override readonly code: RefusalCode;
  readonly source: string;
  readonly reason: string;
  // Declared alone: what is not known is not there.
  declare readonly sinceWallMs?: number;
  declare readonly retryAfterMs?: number;
  declare readonly maxQuantity?: number;

  constructor(refusal: OrderRefusal) {
    super(refusal.code, `order refused (${refusal.code}) by ${refusal.source}: ${refusal.reason}`);
    this.code = refusal.code;
    this.source = refusal.source;
    this.reason = refusal.reason;
    if (refusal.sinceWallMs !== undefined) this.sinceWallMs = refusal.sinceWallMs;
    if (refusal.retryAfterMs !== undefined) this.retryAfterMs = refusal.retryAfterMs;
    if (refusal.maxQuantity !== undefined) this.maxQuantity = refusal.maxQuantity;
  }
}

/** How a guarded call ended. */
export type Settled<R> =
  | { readonly outcome: 'acknowledged'; readonly value: R }
  | { readonly outcome: Exclude<SubmissionOutcome, 'acknowledged'>; readonly error: unknown };

/**
 * The caller's wait ended before the call did. The order may be at the venue: find out by query, never by sending again.
 * `settled` tells how the call ends, if it ever does; it never rejects.
 */
export class OrderOutcomeUnknownError<R = unknown> extends FailflatError {
  readonly entryId: number;
  readonly label: string;
  /** Since admission. */
  readonly ageMs: number;
  readonly settled: Promise<Settled<R>>;

  constructor(details: {
    readonly entryId: number;
    readonly label: string;
    readonly ageMs: number;
    readonly settled: Promise<Settled<R>>;
  }) {
    super(
      'order_outcome_unknown',
      `the outcome of order ${details.label} is unknown after ${Math.round(details.ageMs)} ms: query it, do not send it again`,
    );
    this.entryId = details.entryId;
    this.label = details.label;
    this.ageMs = details.ageMs;
    this.settled = details.settled;
  }
}
