/** When an account was read with nothing left to do in it, without a reading in between that showed more. */
export class QuietReads {
  readonly #pollMs: number;
  #sentMs: number[] = [];

  constructor(pollMs: number) {
    this.#pollMs = pollMs;
  }

  get sentMs(): readonly number[] {
    return this.#sentMs;
  }

  /** A reading that was asked for then. Spaced so that the end of the list is longer than the venue's lag, over which the verdict needs two. */
  add(sentMs: number, readLagMs: number): void {
    const spacingMs = Math.max(this.#pollMs, readLagMs / 8);
    const lastButOneMs = this.#sentMs.at(-2);
    if (lastButOneMs !== undefined && sentMs - lastButOneMs < spacingMs) this.#sentMs.pop();
    this.#sentMs.push(sentMs);
    // Only the ends matter to the verdict; the middle of a long watch is dropped.
    if (this.#sentMs.length > 64) this.#sentMs.splice(32, 16);
  }

  clear(): void {
    this.#sentMs = [];
  }
}
