/** Finds panics that were acknowledged and are gone, or that nobody has carried out. */
import type { PanicOperation } from './operation.js';

export interface PanicRecord {
  /** Panics that are on the bus at the end, by their ids. */
  readonly standing: readonly string[];
  /** Whether an exit was completed behind this moment. */
  readonly completedMs: readonly number[];
}

export interface LostPanics {
  readonly acknowledged: number;
  readonly violations: readonly string[];
}

/** A panic of which nobody knows whether it stands may be gone. */
export function lostPanics(panics: readonly PanicOperation[], { standing, completedMs }: PanicRecord): LostPanics {
  const acknowledged = panics.filter(({ outcome }) => outcome === 'ok');
  const violations = acknowledged.flatMap(({ client, eventId, invokedMs }) => {
    if (!standing.includes(eventId)) return [`${eventId}, acknowledged to ${client}, is no longer on the bus`];
    return completedMs.some((atMs) => atMs > invokedMs) ? [] : [`${eventId}, acknowledged to ${client}, was never carried out`];
  });
  return { acknowledged: acknowledged.length, violations };
}
