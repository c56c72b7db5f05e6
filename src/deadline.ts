/** Bounded waiting on any promise. */
import type { Clock } from './clock.js';

export type WithinDeadline<T> = { readonly settled: true; readonly value: T } | { readonly settled: false };

/**
 * Waits for `promise` at most `timeoutMs`. `settled: false` means that the time ran out: the promise goes on, and its late
 * rejection is swallowed here because the caller has been told. A rejection in time is passed on.
 */
export function settleWithin<T>(clock: Pick<Clock, 'setTimer'>, promise: Promise<T>, timeoutMs: number): Promise<WithinDeadline<T>> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => resolve({ settled: false }));
    promise.then(
      (value) => {
        timer.cancel();
        resolve({ settled: true, value });
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}

/** Made once: an abort without a reason makes an error with a stack of its own, which costs more than all else here. */
const NOBODY_WAITS = new DOMException('nobody waits for the answer any more', 'AbortError');

/**
 * As {@link settleWithin}, for a call that can be told to give up: its signal aborts as soon as nobody waits for it any more.
 * What it throws at once is passed on as a rejection.
 */
export async function callWithin<T>(
  clock: Clock,
  call: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
): Promise<WithinDeadline<T>> {
  const giveUp = new AbortController();
  try {
    return await settleWithin(clock, call(giveUp.signal), timeoutMs);
  } finally {
    giveUp.abort(NOBODY_WAITS);
  }
}
