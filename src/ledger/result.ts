/** What a ledger answers: realised results, and what became of a fill that was handed to it. */
import type { PositionSide } from '../messages/order.js';
import type { BreakerResult } from '../messages/result.js';

/** What one closing fill realised against the lots that it closed. Money is exact decimal text in the currency of the price. */
export interface RealisedResult {
  /** The id of the fill that closed. */
  readonly id: string;
  readonly account: string;
  readonly symbol: string;
  readonly strategy?: string;
  /** Only in hedge mode. */
  readonly positionSide?: 'long' | 'short';
  /** The order that the closing fill belongs to. */
  readonly orderId?: string;
  /** How much was closed, above zero. */
  readonly quantity: string;
  /** Net: price differences less `fees` and `slippage`. A text that begins with `-` is a loss. */
  readonly pnl: string;
  /** Pro rata those of the fills that opened, and those of the part of this fill that closed. Below zero: rebates. */
  readonly fees: string;
  readonly slippage: string;
  readonly closedAtMs: number;
  /** Of the closing fill, where it has one. */
  readonly sequence?: number;
}

/** Results of one order's fills in one position, as one: an order filled in ten parts has not lost ten times. */
export interface Close extends BreakerResult, Omit<RealisedResult, 'id' | keyof BreakerResult> {
  readonly account: string;
  readonly symbol: string;
}

export interface OpenPosition {
  readonly account: string;
  readonly symbol: string;
  readonly strategy?: string;
  readonly positionSide: PositionSide;
  /** Signed decimal text; below zero is short, never zero. */
  readonly quantity: string;
}

/**
 * `malformed`: a field is missing or out of its bound. `too_late`: older than the horizon, its position is settled. `too_far_ahead`:
 * stamped further ahead of the wall clock than `maxAheadMs`. `conflict`: a known id and revision with other content.
 */
export const FILL_REFUSAL_CODES = ['malformed', 'too_late', 'too_far_ahead', 'conflict'] as const;
export type FillRefusalCode = (typeof FILL_REFUSAL_CODES)[number];

export interface FillRefusal {
  readonly code: FillRefusalCode;
  readonly field: string;
  readonly bound: string;
  /** Field, value and bound in one line. */
  readonly message: string;
}

export interface ResultChanges {
  /** Results that are new or have changed, in the order of their position. */
  readonly realised: readonly RealisedResult[];
  /** Results told earlier that no longer hold: their fill is gone, or a result of the same id in `realised` takes their place. */
  readonly withdrawn: readonly RealisedResult[];
}

export type RecordOutcome =
  | ({ readonly status: 'recorded' | 'corrected' | 'busted' } & ResultChanges)
  /** Known already, word for word, or in a later revision. */
  | { readonly status: 'duplicate' | 'superseded' }
  | { readonly status: 'refused'; readonly refusal: FillRefusal };

/** Which results are asked for. What is left out matches all. */
export interface ResultFilter {
  readonly account?: string;
  readonly symbol?: string;
  /** `null`: those that name none. */
  readonly strategy?: string | null;
}

/** Losses among the newest closes. */
export interface LossCount {
  readonly losses: number;
  /** How many closes were looked at. */
  readonly closes: number;
  /** False: older results that would have mattered are no longer kept, so there may be more losses than these. */
  readonly complete: boolean;
}

export interface LossSum {
  /** What the losing closes lost together: exact decimal text, `0` or above. Gains are not set against it. */
  readonly sum: string;
  readonly losses: number;
  /** False: older results of the window are no longer kept, so it may be more. */
  readonly complete: boolean;
}
