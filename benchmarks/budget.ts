/** One line of a budget table: what was measured, in every round, against its limit. */

export interface BudgetRow {
  /** The line of the table, unit last: `journal heartbeat µs`. */
  readonly budget: string;
  /** The figure held against the limit: the median of `rounds`, never the best of them. */
  readonly ratio: number;
  readonly limit: number;
  readonly within: boolean;
  /** What others need for the same in the same run, by name. Empty where there is nobody to compare with. */
  readonly peers: Readonly<Record<string, number>>;
  /** The figure of every round, in order. */
  readonly rounds: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A row from its rounds. Without a round, or with one that is no number, the figure is no number and the row is not within. */
export function budgetRow(
  budget: string,
  limit: number,
  rounds: readonly number[],
  peers: Readonly<Record<string, number>> = {},
): BudgetRow {
  const ratio = median(rounds);
  return { budget, ratio, limit, within: rounds.every(Number.isFinite) && ratio <= limit, peers, rounds };
}
