/** Measures how late this process itself was: what a tolerance may grow by, and nothing else. */
import { type Clock, systemClock } from '../clock.js';

const EVERY_MS = 5;

export interface Stall {
  readonly atMs: number;
  readonly lateMs: number;
}

export class StallMonitor {
  readonly #clock: Clock;
  readonly #stalls: Stall[] = [];
  #running = true;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#next(clock.monotonicMs());
  }

  /** How long in all, within the given span of the monotonic clock, this process was kept from running, in milliseconds. */
  totalMs(fromMs: number, untilMs: number): number {
    let totalMs = 0;
    for (const { atMs, lateMs } of this.#stalls) {
      totalMs += Math.max(0, Math.min(atMs, untilMs) - Math.max(atMs - lateMs, fromMs));
    }
    return totalMs;
  }

  close(): void {
    this.#running = false;
  }

  #next(askedMs: number): void {
    this.#clock.setTimer(EVERY_MS, () => {
      if (!this.#running) return;
      const nowMs = this.#clock.monotonicMs();
      const lateMs = nowMs - askedMs - EVERY_MS;
      // Timer granularity is no stall.
      if (lateMs > 2) this.#stalls.push({ atMs: nowMs, lateMs });
      this.#next(nowMs);
    });
  }
}
