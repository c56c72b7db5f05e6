/** Follows a stream from its end, across outages, until told to stop. */
import type { Bus, BusRecord, Cursor } from '../bus/bus.js';
import { type Clock, quietTimers, sleepWith } from '../clock.js';
import { messageOf } from '../errors.js';

export interface TailOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The longest wait of one read. */
  readonly blockMs: number;
  /** Between attempts without contact. */
  readonly retryMs: number;
  /** Default: the end of the stream when the first contact is made. */
  readonly from?: Cursor;
  /**
   * `notBeforeMs` is the latest moment at which the record surely did not exist yet: the contact before the read that brought it.
   * After a stall of this process it lies far back, where `receivedMs` would make an old record look fresh.
   */
  readonly onRecord: (record: BusRecord, notBeforeMs: number) => void;
  readonly onContact?: (contactMs: number) => void;
  readonly onLost?: (detail: string) => void;
}

/** A sleep that does not keep the process alive. */
export function quietSleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return sleepWith(quietTimers(clock), Math.max(0, delayMs), signal);
}

/** Never throws for what the bus or a reading of the clock does; resolves when `signal` aborts. */
export async function tail(bus: Pick<Bus, 'read' | 'end'>, stream: string, options: TailOptions): Promise<void> {
  const { clock, signal, blockMs, retryMs } = options;
  let cursor = options.from;
  let provedMs: number | undefined;
  while (!signal.aborted) {
    try {
      const startedMs = clock.monotonicMs();
      const provedBeforeMs = (provedMs ??= startedMs);
      cursor ??= await bus.end(stream);
      const result = await bus.read(stream, cursor, { blockMs, signal });
      if (signal.aborted) return;
      for (const record of result.records) options.onRecord(record, Math.min(provedBeforeMs, record.receivedMs));
      cursor = result.cursor;
      // While records remain beyond the limit they are as old as those just read.
      if (!result.more) provedMs = result.contactMs;
      options.onContact?.(result.contactMs);
      // A bus that answers an empty read at once, against its contract, must not spin this loop.
      if (result.records.length === 0 && clock.monotonicMs() === startedMs) await quietSleep(clock, Math.max(1, blockMs), signal);
    } catch (error) {
      options.onLost?.(messageOf(error));
      await quietSleep(clock, Math.max(1, retryMs), signal);
    }
  }
}
