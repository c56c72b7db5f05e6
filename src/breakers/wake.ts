/** Wakes one that sleeps between readings; a ring while it is awake is heard as soon as it would sleep. */
import { type Clock, quietTimers } from '../clock.js';

export class Wake {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, after so long, or when the signal aborts. Keeps no process alive. */
  async heardWithin(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) await this.#rung(clock, ms, signal);
    this.#isRung = false;
    this.#wake = undefined;
  }

  #rung(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = quietTimers(clock).setTimer(ms, wake);
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
