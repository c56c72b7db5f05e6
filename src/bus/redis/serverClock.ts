/** What the server's clock shows at a moment of ours: never more than it really does, so that a deadline never lands later there. */

export interface ClockSample {
  /** The reader's monotonic clock when the question was sent … */
  readonly sentMs: number;
  /** … the server's wall clock when it answered … */
  readonly serverMs: number;
  /** … and the reader's monotonic clock when the answer had come. */
  readonly receivedMs: number;
}

/**
 * Each answer bounds the difference of the two clocks from below (it was read before it came) and from above (it was read
 * after it was asked for). The largest lower bound is the best: an answer that came late through a busy process is a poor one.
 */
export class ServerClock {
  #aheadMs: number;

  constructor(first: ClockSample) {
    this.#aheadMs = first.serverMs - first.receivedMs;
  }

  observe({ sentMs, serverMs, receivedMs }: ClockSample): void {
    if (!Number.isFinite(serverMs)) return;
    const steppedBack = serverMs - sentMs < this.#aheadMs;
    this.#aheadMs = steppedBack ? serverMs - receivedMs : Math.max(this.#aheadMs, serverMs - receivedMs);
  }

  at(localMs: number): number {
    return localMs + this.#aheadMs;
  }
}
