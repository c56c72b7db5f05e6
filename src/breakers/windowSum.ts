/** The sum of what came within the last so many milliseconds: O(1) on average, and nothing is ever subtracted. */

interface Entry {
  readonly atMs: number;
  readonly value: number;
}

/** Two stacks, as in {@link SlidingMoments}: the front holds for each entry the sum of it and of all newer ones of the front. */
export class WindowSum {
  readonly #windowMs: number;
  #back: Entry[] = [];
  #backSum = 0;
  /** Oldest last. */
  #front: Entry[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Times never go back; `value` is not negative. */
  add(atMs: number, value: number): void {
    this.#back.push({ atMs, value });
    this.#backSum += value;
  }

  /** What is exactly `windowMs` old has left. */
  sum(nowMs: number): number {
    const sinceMs = nowMs - this.#windowMs;
    for (;;) {
      if (this.#front.length === 0 && (this.#back[0]?.atMs ?? Infinity) <= sinceMs) this.#turnOver();
      const oldest = this.#front.at(-1);
      if (oldest === undefined || oldest.atMs > sinceMs) break;
      this.#front.pop();
    }
    return (this.#front.at(-1)?.value ?? 0) + this.#backSum;
  }

  clear(): void {
    this.#back = [];
    this.#front = [];
    this.#backSum = 0;
  }

  #turnOver(): void {
    let newer = 0;
    for (let entry = this.#back.pop(); entry !== undefined; entry = this.#back.pop()) {
      newer += entry.value;
      this.#front.push({ atMs: entry.atMs, value: newer });
    }
    this.#backSum = 0;
  }
}
