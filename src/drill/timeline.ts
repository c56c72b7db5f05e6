/** What an observer saw on the bus, in words that a person can follow. */
import type { BusSight } from '../rig/observer.js';

export interface TimelineEntry {
  readonly atMs: number;
  readonly text: string;
}

/** In the order in which it was seen. */
export function timelineOf({ panics, completions, escalations, states }: BusSight): readonly TimelineEntry[] {
  const entries: TimelineEntry[] = [
    ...panics.map(({ atMs, value }) => ({
      atMs,
      text: value.resend > 0 ? `panic_close sent again (${value.resend})` : `panic_close by ${value.by}: ${value.reason}`,
    })),
    ...states.map(({ atMs, value }) => ({ atMs, text: `trading state ${value.mode}, epoch ${value.epoch}` })),
    ...escalations.map(({ atMs, value }) => ({ atMs, text: `escalated: ${value.verdict}` })),
    ...completions.map(({ atMs, value }) => ({
      atMs,
      text: `${value.verdict.toUpperCase()} by ${value.worker}: ${value.positionsClosed} of ${value.positionsTotal} positions closed`,
    })),
  ];
  return entries.sort((a, b) => a.atMs - b.atMs);
}
