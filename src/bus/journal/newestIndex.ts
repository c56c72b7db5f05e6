/** The newest record under each key of a stream: the stream is read once, a slice at a time, and from then on only what is new. */
import type { BusRecord, Cursor } from '../bus.js';
import { type JournalContext, mustBeOpen } from './context.js';
import type { Envelope } from './record.js';
import { isOlder } from './recordOrder.js';

/** A record as callers see it, and as it stands in its file. */
export interface FoundRecord {
  readonly record: BusRecord;
  readonly envelope: Envelope;
}

export interface Slice {
  readonly records: readonly FoundRecord[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

export class NewestIndex {
  readonly #context: Pick<JournalContext, 'clock' | 'closing'>;
  readonly #next: (cursor: Cursor) => Slice;
  readonly #newest = new Map<string, FoundRecord>();
  #cursor: Cursor = {};
  #reading: Promise<unknown> = Promise.resolve();
  #queued: Promise<void> | undefined;

  constructor(context: Pick<JournalContext, 'clock' | 'closing'>, next: (cursor: Cursor) => Slice) {
    this.#context = context;
    this.#next = next;
  }

  /** Rejects with BusUnavailableError without contact. */
  async latest(key: string): Promise<BusRecord | undefined> {
    await this.#readToEnd();
    return this.#newest.get(key)?.record;
  }

  /** Everybody who asks before the next reading begins is served by it: ten thousand keys must not cost ten thousand looks. */
  #readToEnd(): Promise<void> {
    this.#queued ??= this.#reading.then(() => {
      this.#queued = undefined;
      const reading = this.#read();
      this.#reading = reading.catch(() => undefined);
      return reading;
    });
    return this.#queued;
  }

  async #read(): Promise<void> {
    const { clock, closing } = this.#context;
    for (;;) {
      mustBeOpen(this.#context);
      const slice = this.#next(this.#cursor);
      this.#cursor = slice.cursor;
      for (const found of slice.records) this.#take(found);
      if (!slice.more) return;
      // A long history must not keep the process from its beats and timers.
      await clock.sleep(0, closing);
    }
  }

  #take(found: FoundRecord): void {
    const { key } = found.record;
    if (key === undefined) return;
    const known = this.#newest.get(key);
    if (known === undefined || !isOlder(found.envelope, known.envelope)) this.#newest.set(key, found);
  }
}
