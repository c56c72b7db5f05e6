/** Tells callers when their wait is over: one timer for all waits of a guard, which all wait equally long. */
import type { Clock, Timer } from '../clock.js';

export interface Wait {
  readonly dueMs: number;
  expire(nowMs: number): void;
}

// The timer holds the process while someone waits; a short one also lets it go soon after the last wait was answered,
// without being cancelled and set again for each order.
const LONGEST_TICK_MS = 100;

/** Waits must be added in the order in which they fall due. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(wait: Wait, nowMs: number): void {
    this.#waits.add(wait);
    if (this.#timer === undefined) this.#arm(wait, nowMs);
  }

  /** Answered in time. */
  remove(wait: Wait): void {
    this.#waits.delete(wait);
  }

  #arm(first: Wait, nowMs: number): void {
    this.#timer = this.#clock.setTimer(Math.min(Math.max(first.dueMs - nowMs, 0), LONGEST_TICK_MS), () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    const due: Wait[] = [];
    for (const wait of this.#waits) {
      if (wait.dueMs > nowMs) {
        this.#arm(wait, nowMs);
        break;
      }
      due.push(wait);
      this.#waits.delete(wait);
    }
    // Last, as whoever is told may submit again and so add a wait.
    for (const wait of due) wait.expire(nowMs);
  }
}
