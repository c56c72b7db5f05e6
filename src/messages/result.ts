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
}

/** Where results come from that are corrected, taken back and refused: a ledger. */
export interface ResultSource {
  /** Those of one strategy; `null`: those that name none. One that has changed is another object: the same one is not read again. */
  closes(filter: { readonly strategy: string | null }): readonly BreakerResult[];
  /** Reports that could not be booked: each may hide a loss. */
  refusals(): { readonly count: number; readonly latest?: { readonly message: string } };
  /** How many of them somebody has taken as seen for a strategy, restarts included. Left out: none. */
  refusalsSeen?(strategy: string): number;
  /** Breakers call it when they are reset: so many refusals trip that strategy no more, after a restart neither. */
  takeRefusalsAsSeen?(strategy: string, count: number): void;
}
