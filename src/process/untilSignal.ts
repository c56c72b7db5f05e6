/** Turns SIGINT and SIGTERM into an abort: the first asks for an orderly end, a later one enforces it. */
import type { Clock } from '../clock.js';
import { DEAD_WINDOW_MS, type EndSignal, type ProcessEvents, systemProcess } from './events.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface SignalWatch {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  release(): void;
}

/** Watching does not keep the process alive. */
export function untilSignal(clock: Clock, events: ProcessEvents = systemProcess): SignalWatch {
  const stopping = new AbortController();
  let firstMs: number | undefined;
  const hear = (name: EndSignal): void => {
    const nowMs = clock.monotonicMs();
    if (firstMs === undefined) {
      firstMs = nowMs;
      stopping.abort(name);
    } else if (nowMs - firstMs >= DEAD_WINDOW_MS) {
      release();
      events.endBySignal(name);
    }
  };
  const offs = SIGNALS.map((name) => events.onSignal(name, () => hear(name)));
  const release = (): void => {
    for (const off of offs) off();
  };
  return { signal: stopping.signal, release };
}
