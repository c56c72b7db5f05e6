/** Standard deviation over the last n values: O(1) for each value on average, and nothing is ever subtracted that was added before. */

/** A summary of some values: how many, their mean, and the sum of squared distances from it. */
interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

const NOTHING: Moments = { count: 0, mean: 0, squares: 0 };

// The pairwise update: only additions of terms that are not negative, so that nothing cancels.
function merged(left: Moments, right: Moments): Moments {
  if (left.count === 0) return right;
  if (right.count === 0) return left;
  const count = left.count + right.count;
  const delta = right.mean - left.mean;
  return {
    count,
    mean: left.mean + delta * (right.count / count),
    squares: left.squares + right.squares + delta * delta * ((left.count / count) * right.count),
  };
}

const one = (value: number): Moments => ({ count: 1, mean: value, squares: 0 });

/**
 * Two stacks. New values go on the back, summed as they come; the front holds, for each value, the summary of it and of all
 * newer ones of the front. The oldest value leaves with its summary, so that what has left leaves no trace, however large it was.
 * When the front is empty the back is turned over into it: n steps once in n values.
 */
export class SlidingMoments {
  readonly #window: number;
  readonly #backValues: number[] = [];
  #back: Moments = NOTHING;
  readonly #frontValues: number[] = [];
  readonly #front: Moments[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  get isFull(): boolean {
    return this.#backValues.length + this.#front.length === this.#window;
  }

  /** Answers the value that left the window, if one did. */
  push(value: number): number | undefined {
    const left = this.isFull ? this.#shift() : undefined;
    this.#backValues.push(value);
    this.#back = merged(this.#back, one(value));
    return left;
  }

  sigma(): number {
    const { count, squares } = merged(this.#front.at(-1) ?? NOTHING, this.#back);
    return count === 0 ? 0 : Math.sqrt(squares / count);
  }

  #shift(): number | undefined {
    if (this.#front.length === 0) this.#turnOver();
    this.#front.pop();
    return this.#frontValues.pop();
  }

  #turnOver(): void {
    let newer = NOTHING;
    for (let value = this.#backValues.pop(); value !== undefined; value = this.#backValues.pop()) {
      newer = merged(one(value), newer);
      this.#frontValues.push(value);
      this.#front.push(newer);
    }
    this.#back = NOTHING;
  }
}
