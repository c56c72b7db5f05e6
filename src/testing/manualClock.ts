/** A clock that moves only when told to: monotonic and wall time apart, Node's own timer rules otherwise. */
import { type Clock, MAX_TIMER_MS, sleepWith, type Timer } from '../clock.js';

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  #wallOffsetMs: number;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor({ startMs = 1_000_000, wallMs = 1_440_374_400_000 }: { readonly startMs?: number; readonly wallMs?: number } = {}) {
    this.#nowMs = startMs;
    this.#wallOffsetMs = wallMs - startMs;
  }

  readonly monotonicMs = (): number => this.#nowMs;
  readonly wallMs = (): number => this.#nowMs + this.#wallOffsetMs;

  readonly setTimer = (delayMs: number, fire: () => void): Timer => {
    if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) throw new RangeError(`delayMs = ${delayMs}: must be between 0 and ${MAX_TIMER_MS}`);
    const timer = { dueMs: this.#nowMs + delayMs, order: this.#order++, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  };

  readonly sleep = (delayMs: number, signal?: AbortSignal): Promise<void> => sleepWith(this, delayMs, signal);

  /** How many timers have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Steps the wall clock; durations do not notice. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Moves time on without firing anything on the way, as a blocked loop or a stopped process would see it; then fires what is due. */
  async stall(byMs: number): Promise<void> {
    this.#nowMs += byMs;
    await this.advance(0);
  }

  /** Moves time on by `byMs`, firing timers in order and letting promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
      await settle();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #nextDue(untilMs: number): PendingTimer | undefined {
    let earliest: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue;
      if (earliest === undefined || timer.dueMs < earliest.dueMs || (timer.dueMs === earliest.dueMs && timer.order < earliest.order))
        earliest = timer;
    }
    return earliest;
  }
}

/** Lets every promise that can settle do so: a macrotask runs only after all microtasks. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
