/** Waiting for a change with a bound: what every blocking call of a bus is made of. */
import type { Clock } from '../clock.js';

/** Those who wait for the next change. */
export class Wakeups {
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#waiting.size;
  }

  add(wake: () => void): void {
    this.#waiting.add(wake);
  }

  remove(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Resolves at the first wake-up from any source, on abort, or after `delayMs`. It never rejects. */
export function waitForChange(clock: Clock, delayMs: number, signal: AbortSignal | undefined, sources: readonly Wakeups[]): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const wake = () => {
      timer.cancel();
      for (const source of sources) source.remove(wake);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.setTimer(Math.max(0, delayMs), wake);
    for (const source of sources) source.add(wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
