/** Does something now and again and again: what keeps a claim or a delivery while work on it goes on. */
import type { Clock, Timer } from '../clock.js';

/** Calls `act` now and every `everyMs` until cancelled. It does not keep the process alive. */
export function repeatEvery(clock: Clock, everyMs: number, act: () => void): Timer {
  let current: Timer | undefined;
  const tick = () => {
    act();
    current = clock.setTimer(everyMs, tick, { keepAlive: false });
  };
  tick();
  return { cancel: () => current?.cancel() };
}
