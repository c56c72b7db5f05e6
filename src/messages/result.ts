/** A realised result: what the ledger tells and the breakers of a strategy count. */

/** What became of a position, or of a part of it, when it was closed. */
export interface BreakerResult {
  /**
   * The ids of the closing fills, oldest first; each unique within its account and symbol. A result that shares one with a known result
   * takes its place: it is that one repeated, corrected, or filled on.
   */
  readonly ids: readonly string[];
  readonly account?: string;
  readonly symbol?: string;
  /** Exact decimal text, net of fees. Text that begins with `-` is a loss; zero is neither a loss nor the end of a streak. */
  readonly pnl: string;
  /** Unix epoch in ms, by the venue's time. */
  readonly closedAtMs: number;
  /** Tells results of one millisecond apart: the lower came first. Default 0. Of those that are equal in this too, the one that was told first. */
  readonly sequence?: number;
}

/** What has become of results, in one step. */
export interface ResultChange {
  /** Results that no longer hold as they were told: gone, or others are told in their place. */
  readonly withdrawn: readonly BreakerResult[];
  readonly told: readonly BreakerResult[];
}

export interface ResultNews {
  /** In the order in which they happened. */
  readonly changes: readonly ResultChange[];
  /** To be handed in the next time. Left out: everything is asked for again then. */
  readonly place?: number;
  /** True: the one change tells everything there is, in the place of all that was told before. Default false. */
  readonly isWhole?: boolean;
  /** With `isWhole`: results up to this time may be missing because they are no longer kept, and not because they were taken back. */
  readonly forgottenThroughMs?: number;
}

/** Where results come from that are corrected, taken back and refused: a ledger. */
export interface ResultSource {
  /** Those of one strategy; `null`: those that name none. */
  closes(filter: { readonly strategy: string | null }): readonly BreakerResult[];
  /**
   * What has changed since a place that it has told before, or everything where none is handed in or so many changes are no longer kept.
   * Left out: `closes` is read whole each time, and what it does not tell any more counts no more.
   */
  news?(filter: { readonly strategy: string | null }, place?: number): ResultNews;
  /** Reports that could not be booked: each may hide a loss. */
  refusals(): { readonly count: number; readonly latest?: { readonly message: string } };
  /** How many of them somebody has taken as seen for a strategy, restarts included. Left out: none. */
  refusalsSeen?(strategy: string): number;
  /** Breakers call it when they are reset: so many refusals trip that strategy no more, after a restart neither. */
  takeRefusalsAsSeen?(strategy: string, count: number): void;
}
