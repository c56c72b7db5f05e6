/** Shows progress while a bounded call is waited for. */
import type { Clock, Timer } from '../clock.js';

/** Calls `progressed` now and every `everyMs` until cancelled. */
export function keepProgressing(clock: Clock, everyMs: number, progressed: () => void): Timer {
  let current: Timer | undefined;
  const tick = () => {
    progressed();
    current = clock.setTimer(everyMs, tick, { keepAlive: false });
  };
  tick();
  return { cancel: () => current?.cancel() };
}
