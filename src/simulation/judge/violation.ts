/** A promise that was broken, and on what evidence. */
export interface Violation {
  /** The promise by its identifier: S1 … S13, L1 … L7. */
  readonly promise: string;
  readonly atMs: number;
  readonly detail: string;
}
