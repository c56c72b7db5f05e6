/** Whether the venue still lets a worker see what it is doing: by how long its readings have failed without a break. */
import type { Clock } from '../clock.js';

/**
 * A reading that failed only begins the count, so that one call that takes longer than a claim lasts, and then is answered,
 * costs nobody anything.
 */
export class VenueReach {
  readonly #clock: Clock;
  readonly #outOfReachMs: number;
  #failingSinceMs: number | undefined;

  /** `outOfReachMs`: of failures, after which somebody else should try. Infinity where there is nobody else. */
  constructor(clock: Clock, outOfReachMs: number) {
    this.#clock = clock;
    this.#outOfReachMs = outOfReachMs;
  }

  answered(): void {
    this.#failingSinceMs = undefined;
  }

  /** What was asked for then has not been answered. */
  failed(askedMs: number): void {
    this.#failingSinceMs ??= askedMs;
  }

  isLost(): boolean {
    return this.#failingSinceMs !== undefined && this.#clock.monotonicMs() - this.#failingSinceMs >= this.#outOfReachMs;
  }
}
