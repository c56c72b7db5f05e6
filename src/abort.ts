/** Hears of an abort whatever else listens to the same signal. */
import { addAbortListener } from 'node:events';

/** Calls `act` once, when `signal` aborts: also where a listener before it stops the event from going on. The answer takes it back. */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const listening = addAbortListener(signal, act);
  return () => listening[Symbol.dispose]();
}
