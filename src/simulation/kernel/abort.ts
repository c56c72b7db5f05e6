/** Who waits for a signal: one listener for each signal, for adding and removing one for each wait costs more than the wait. */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` when the signal aborts. The signal must not have aborted yet. */
export function onAbort(signal: AbortSignal, act: () => void): void {
  let acts = waiting.get(signal);
  if (acts === undefined) {
    const added = new Set<() => void>();
    acts = added;
    waiting.set(signal, added);
    signal.addEventListener('abort', () => callAll(added), { once: true });
  }
  acts.add(act);
}

export function offAbort(signal: AbortSignal, act: () => void): void {
  waiting.get(signal)?.delete(act);
}

function callAll(acts: Set<() => void>): void {
  for (const act of [...acts]) if (acts.delete(act)) act();
}
