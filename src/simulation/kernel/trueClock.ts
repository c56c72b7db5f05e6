/** The simulation's own time as a clock, for what stands outside every process: the venue. */
import { type Clock, sleepWith } from '../../clock.js';
import type { Kernel } from './kernel.js';

/** It never drifts or steps, and no process can stop it. Delays are not cut to whole milliseconds. */
export function trueClock(kernel: Kernel, name: string, wallStartMs: number): Clock {
  const setTimer: Clock['setTimer'] = (delayMs, fire) => {
    const event = kernel.after(delayMs, name, fire);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  };
  return {
    monotonicMs: () => kernel.nowMs,
    wallMs: () => Math.floor(wallStartMs + kernel.nowMs),
    setTimer,
    sleep: (delayMs, signal) => sleepWith({ setTimer }, delayMs, signal),
  };
}
