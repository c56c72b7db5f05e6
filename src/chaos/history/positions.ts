/** Finds fills that turned a position round: one that was long has become short without having been empty, or the other way. */

export interface PositionStep {
  readonly symbol: string;
  readonly by: string;
  readonly before: number;
  readonly after: number;
}

export interface Crossings {
  readonly fills: number;
  readonly violations: readonly string[];
}

/** Below this a position is none. */
const EPSILON = 1e-9;

export function zeroCrossings(fills: readonly PositionStep[]): Crossings {
  const crossed = fills.filter(({ before, after }) => Math.abs(before) > EPSILON && Math.abs(after) > EPSILON && before * after < 0);
  return {
    fills: fills.length,
    violations: crossed.map(({ symbol, by, before, after }) => `${by} took ${symbol} from ${before} to ${after}`),
  };
}
