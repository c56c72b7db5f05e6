/** What the server's clock shows at a moment of ours: never more than it really does, so that a deadline never lands later there. */

export interface ClockSample {
  /** The reader's monotonic clock when the question was sent … */
  readonly sentMs: number;
  /** … the server's wall clock when it answered … */
  readonly serverMs: number;
  /** … and the reader's monotonic clock when the answer had come. */
  readonly receivedMs: number;
}

type SampleOrigin = 'here' | 'elsewhere';

/**
 * Each answer bounds the difference of the two clocks from below (it was read before it came) and from above (it was read
 * after it was asked for). The largest lower bound is the best: an answer that came late through a busy process is a poor one.
 */
export class ServerClock {
  #aheadMs: number;
  /** When the latest answer came: on the connection that this clock belongs to, and on others. */
  readonly #heardMs: Record<SampleOrigin, number>;

  constructor(first: ClockSample) {
    this.#aheadMs = first.serverMs - first.receivedMs;
    this.#heardMs = { here: first.receivedMs, elsewhere: Number.NEGATIVE_INFINITY };
  }

  /** Answers on one connection come in the order in which they were given; two connections may overtake each other. */
  observe({ sentMs, serverMs, receivedMs }: ClockSample, origin: SampleOrigin = 'here'): void {
    if (!Number.isFinite(serverMs)) return;
    const aheadMs = serverMs - receivedMs;
    const steppedBack = serverMs - sentMs < this.#aheadMs;
    // What was asked before the latest answer came may be older than that answer, and from before a step.
    const isNewer = sentMs >= this.#heardMs[origin === 'here' ? 'elsewhere' : 'here'];
    if (steppedBack || (isNewer && aheadMs > this.#aheadMs)) this.#aheadMs = aheadMs;
    this.#heardMs[origin] = Math.max(this.#heardMs[origin], receivedMs);
  }

  at(localMs: number): number {
    return localMs + this.#aheadMs;
  }
}
