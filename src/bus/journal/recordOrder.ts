/** Decides which of two records came first, over all writers and boots. */
import type { Envelope } from './record.js';

/** Where a record stands among those of other writers. */
export interface When {
  readonly thisBoot: boolean;
  /** Monotonic within this boot, wall time before it. */
  readonly ms: number;
  readonly sequence: number;
}

export const BEFORE_ALL: When = { thisBoot: false, ms: Number.NEGATIVE_INFINITY, sequence: -1 };

export function whenOf(envelope: Envelope, boot: string): When {
  const thisBoot = envelope.boot === boot;
  return { thisBoot, ms: thisBoot ? envelope.monotonicMs : envelope.wallMs, sequence: envelope.sequence };
}

export function compareWhen(a: When, b: When): number {
  if (a.thisBoot !== b.thisBoot) return a.thisBoot ? 1 : -1;
  if (a.ms !== b.ms) return a.ms < b.ms ? -1 : 1;
  return a.sequence - b.sequence;
}

export function later(a: When, b: When): When {
  return compareWhen(a, b) > 0 ? a : b;
}

export function isOlder(a: Envelope, b: Envelope): boolean {
  return a.boot === b.boot ? a.monotonicMs < b.monotonicMs : a.wallMs < b.wallMs;
}
