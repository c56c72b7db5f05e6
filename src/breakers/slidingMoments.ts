/** Standard deviation over the last n values: O(1) for each value on average, and nothing is ever subtracted that was added before. */

/**
 * Two stacks in one place. New values go on the back, summed as they come; the front holds, for each value, mean and squared distances of
 * it and of all newer ones of the front. The oldest value leaves with its summary, so that what has left leaves no trace, however large it
 * was. When the front is empty the back is turned over into it: n steps once in n values.
 *
 * The pairwise update that joins two summaries only adds terms that are not negative, so that nothing cancels.
 */
export class SlidingMoments {
  readonly #window: number;
  /** Those of the back, then those of the front that have not left: a value of the back takes the place of one that has. */
  readonly #values: Float64Array;
  /** Of each value of the front and all newer ones of the front. */
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  /** The oldest value of the front; the window itself where the front is empty. */
  #oldest: number;
  #backCount = 0;
  #backMean = 0;
  #backSquares = 0;

  constructor(window: number) {
    this.#window = window;
    this.#values = new Float64Array(window);
    this.#means = new Float64Array(window);
    this.#squares = new Float64Array(window);
    this.#oldest = window;
  }

  get isFull(): boolean {
    return this.#backCount + this.#window - this.#oldest === this.#window;
  }

  /** Answers the value that left the window, if one did. */
  push(value: number): number | undefined {
    const left = this.isFull ? this.#shift() : undefined;
    this.#values[this.#backCount] = value;
    const count = this.#backCount + 1;
    const delta = value - this.#backMean;
    this.#backMean += delta / count;
    this.#backSquares += delta * delta * (this.#backCount / count);
    this.#backCount = count;
    return left;
  }

  sigma(): number {
    const front = this.#window - this.#oldest;
    const back = this.#backCount;
    const count = front + back;
    if (count === 0) return 0;
    if (front === 0) return Math.sqrt(this.#backSquares / back);
    const delta = back === 0 ? 0 : this.#backMean - this.#at(this.#means, this.#oldest);
    const squares = this.#at(this.#squares, this.#oldest) + this.#backSquares + delta * delta * ((front / count) * back);
    return Math.sqrt(squares / count);
  }

  #shift(): number {
    if (this.#oldest === this.#window) this.#turnOver();
    const left = this.#at(this.#values, this.#oldest);
    this.#oldest += 1;
    return left;
  }

  /** The back is the whole window. */
  #turnOver(): void {
    let mean = 0;
    let squares = 0;
    for (let index = this.#window - 1, newer = 0; index >= 0; index -= 1, newer += 1) {
      const value = this.#at(this.#values, index);
      const delta = mean - value;
      const share = newer / (newer + 1);
      mean = value + delta * share;
      squares += delta * delta * share;
      this.#means[index] = mean;
      this.#squares[index] = squares;
    }
    this.#oldest = 0;
    this.#backCount = 0;
    this.#backMean = 0;
    this.#backSquares = 0;
  }

  // Indexes stand within the window: what is beyond it would be no number, and trips.
  #at(list: Float64Array, index: number): number {
    return list[index] ?? Number.NaN;
  }
}
