/** The loops that run under the shutdown's eyes, by name, and the wait for them to return. */
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';

export class RunningLoops {
  readonly #clock: Clock;
  readonly #running = new Map<symbol, string>();
  #allReturned: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer says that it has returned. */
  enter(name: string): () => void {
    const key = Symbol(name);
    this.#running.set(key, name);
    return () => {
      this.#running.delete(key);
      if (this.#running.size === 0) this.#allReturned?.();
    };
  }

  names(): readonly string[] {
    return [...this.#running.values()];
  }

  /** Resolves when none is running, or at the timeout. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const returned = new Promise<void>((resolve) => {
      this.#allReturned = resolve;
    });
    await settleWithin(this.#clock, returned, timeoutMs);
  }
}
