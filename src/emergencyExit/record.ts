/** Appends what must not be lost: tries again until it surely stands, its deadline has passed, or the caller stops. */
import { type Bus, type Fields, isCommitted } from '../bus/bus.js';
import type { Clock } from '../clock.js';

export interface RecordOptions {
  /** The same for every try: a second success is no second record. */
  readonly idempotencyKey: string;
  /** Monotonic clock: not to be committed after this. */
  readonly notAfterMs?: number;
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/** True when the record stands on the bus. */
export async function recordSurely(bus: Bus, clock: Clock, stream: string, fields: Fields, options: RecordOptions): Promise<boolean> {
  const { idempotencyKey, notAfterMs, signal } = options;
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const sent = await bus.append(stream, fields, { idempotencyKey, ...(notAfterMs === undefined ? {} : { notAfterMs }) });
    if (isCommitted(sent)) return true;
    if (sent.outcome === 'refused' && sent.reason === 'duplicate') return true;
    if (sent.outcome === 'refused' && sent.reason === 'deadline_passed') return false;
    await clock.sleep(pauseMs, signal);
  }
  return false;
}
