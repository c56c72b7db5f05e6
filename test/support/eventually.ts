/** Waiting for an observed state with a deadline: the only way in which tests wait. */
import { systemClock } from '../../src/clock.js';

export interface EventuallyOptions {
  /** Default 5,000 ms. */
  readonly timeoutMs?: number;
  /** Default 5 ms. */
  readonly everyMs?: number;
}

/** Calls `observe` until it returns something other than undefined or false (a throw counts as "not yet"); fails at the deadline with the last error. */
export async function eventually<T>(
  observe: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const { timeoutMs = 5_000, everyMs = 5 } = options;
  const untilMs = systemClock.monotonicMs() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const seen = await observe();
      if (seen !== undefined && seen !== false) return seen as Exclude<T, undefined | false>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (systemClock.monotonicMs() > untilMs) {
      throw new Error(`not observed within ${timeoutMs} ms`, { cause: lastError });
    }
    await systemClock.sleep(everyMs);
  }
}
