/** Wall times of a recording, for people and for other machines. */
import type { Recording } from '../run/recording.js';

/** ISO 8601 in UTC; `null` for a moment that never came. */
export function isoAt({ wallOffsetMs }: Pick<Recording, 'wallOffsetMs'>, atMs: number | undefined): string | null {
  return atMs === undefined || !Number.isFinite(atMs) ? null : new Date(atMs + wallOffsetMs).toISOString();
}
