/** Turns SIGINT and SIGTERM into an abort: the first asks for an orderly end, a later one enforces it. */
import { constants } from 'node:os';
import type { Clock } from '../clock.js';
import { exitNow } from './exit.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type EndSignal = (typeof SIGNALS)[number];

/** A second signal that comes sooner is the same one: terminals and service managers send it to a whole group. */
export const FORCE_AFTER_MS = 1_000;

export interface SignalWatch {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  release(): void;
}

/** Watching does not keep the process alive. */
export function untilSignal(clock: Clock): SignalWatch {
  const stopping = new AbortController();
  let firstMs: number | undefined;
  const release = () => {
    for (const name of SIGNALS) process.removeListener(name, onSignal);
  };
  const onSignal = (name: EndSignal) => {
    const nowMs = clock.monotonicMs();
    if (firstMs === undefined) {
      firstMs = nowMs;
      stopping.abort(name);
    } else if (nowMs - firstMs >= FORCE_AFTER_MS) {
      release();
      endBy(name);
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: stopping.signal, release };
}

function endBy(name: EndSignal): void {
  // Whoever started this process should see that a signal ended it. The first process of a container ignores such a signal.
  if (process.pid === 1) exitNow(128 + constants.signals[name]);
  process.kill(process.pid, name);
}
