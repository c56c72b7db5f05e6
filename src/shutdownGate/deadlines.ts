/** Tells callers when their wait is over: one timer for all waits of a guard, which all wait equally long. */
import type { Clock, Timer } from '../clock.js';

// The timer holds the process while someone waits; a short one also lets it go soon after the last wait was answered,
// without being cancelled and set again for each order.
const LONGEST_TICK_MS = 100;

/** One caller's wait. The waits form a ring through the head of {@link Deadlines}, the first to fall due first. */
class Wait {
  previous: Wait = this;
  next: Wait = this;

  constructor(
    readonly dueMs: number,
    readonly expire: (nowMs: number) => void,
  ) {}

  /** Answered in time, or told that it was not. Ending twice does nothing. */
  end(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #ring = new Wait(0, () => undefined);
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** `expire` is called once, at the first tick after the timeout, unless the wait has ended by then. */
  add(nowMs: number, expire: (nowMs: number) => void): Pick<Wait, 'end'> {
    const wait = new Wait(nowMs + this.#timeoutMs, expire);
    const last = this.#ring.previous;
    wait.previous = last;
    wait.next = this.#ring;
    last.next = wait;
    this.#ring.previous = wait;
    if (this.#timer === undefined) this.#arm(wait, nowMs);
    return wait;
  }

  #arm(first: Wait, nowMs: number): void {
    this.#tickIn(Math.min(Math.max(first.dueMs - nowMs, 0), LONGEST_TICK_MS));
  }

  // The order of whoever waits has been sent: a clock that sets no timer costs the deadline, and never the answer. The next wait tries again.
  #tickIn(delayMs: number): void {
    try {
      this.#timer = this.#clock.setTimer(delayMs, () => this.#tick());
    } catch {
      this.#timer = undefined;
    }
  }

  // A clock that fails now may be right again at the next tick: nobody's wait is forgotten over it.
  #readOrLater(): number | undefined {
    try {
      const nowMs = this.#clock.monotonicMs();
      if (Number.isFinite(nowMs)) return nowMs;
    } catch {
      // As if it had read nothing.
    }
    this.#tickIn(LONGEST_TICK_MS);
    return undefined;
  }

  #tick(): void {
    this.#timer = undefined;
    const nowMs = this.#readOrLater();
    if (nowMs === undefined) return;
    const due: Wait[] = [];
    for (let first = this.#ring.next; first !== this.#ring; first = this.#ring.next) {
      if (first.dueMs > nowMs) {
        this.#arm(first, nowMs);
        break;
      }
      first.end();
      due.push(first);
    }
    // Last, as whoever is told may submit again and so add a wait.
    for (const wait of due) wait.expire(nowMs);
  }
}
