/** Follows one stream and hands each record on; a second reader can read to the end at any moment. Handlers take repeats. */
import { type Bus, type BusRecord, type CorruptRecord, type Cursor, FROM_START } from '../bus/bus.js';
import type { Clock } from '../clock.js';

export interface TailOptions {
  readonly bus: Pick<Bus, 'read' | 'end'>;
  readonly stream: string;
  /** `end`: only what comes after the first contact. */
  readonly from: 'start' | 'end';
  readonly clock: Clock;
  readonly take: (record: BusRecord) => void;
  readonly takeCorrupt: (record: CorruptRecord) => void;
  /** Called after each read that reached the bus, before its records are handed on. */
  readonly wake: () => void;
  readonly failed: (stream: string, error: unknown) => void;
}

/** One read waits at most this long, so that each stream shows contact a few times a second. */
const BLOCK_MS = 250;
/** Records that come within this time are taken together: what wakes a reader for each record costs more than the record. */
const GATHER_MS = 10;
const RETRY_MS = 50;
const LIMIT = 5_000;

interface Page {
  /** Records may remain. */
  readonly more: boolean;
  /** Nothing came. */
  readonly silent: boolean;
}

export class Tail {
  readonly #options: TailOptions;
  #cursor: Cursor | undefined;
  #reachedMs = Number.NEGATIVE_INFINITY;

  constructor(options: TailOptions) {
    this.#options = options;
    if (options.from === 'start') this.#cursor = FROM_START;
  }

  get stream(): string {
    return this.#options.stream;
  }

  /** When a read last came back from the bus. */
  get reachedMs(): number {
    return this.#reachedMs;
  }

  /** Ends when `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, failed, stream } = this.#options;
    while (!signal.aborted) {
      try {
        const askedMs = clock.monotonicMs();
        const { more, silent } = await this.#step(signal);
        // A wait in vain took its time already: there is nothing to gather.
        const waited = silent && clock.monotonicMs() - askedMs >= GATHER_MS;
        if (!more && !waited) await clock.sleep(GATHER_MS, signal);
      } catch (error) {
        failed(stream, error);
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Hands on everything that the stream holds now. Throws BusUnavailableError without contact. */
  async readToEnd(): Promise<void> {
    while ((await this.#read({ blockMs: 0 })).more) await this.#letOthersRun();
  }

  async #step(signal: AbortSignal): Promise<Page> {
    const page = await this.#read({ blockMs: BLOCK_MS, signal });
    // Only here: who no longer follows must not look as if it did.
    if (!signal.aborted) this.#reachedMs = this.#options.clock.monotonicMs();
    if (page.more) await this.#letOthersRun(signal);
    return page;
  }

  async #read(options: { readonly blockMs: number; readonly signal?: AbortSignal }): Promise<Page> {
    const { bus, stream, take, takeCorrupt, wake } = this.#options;
    const from = await this.#start();
    const result = await bus.read(stream, from, { ...options, limit: LIMIT });
    if (options.signal?.aborted) return { more: false, silent: true };
    wake();
    for (const record of result.records) take(record);
    for (const record of result.corrupt) takeCorrupt(record);
    // Where the other reader has moved on meanwhile, its place stands: both share the work of a long backlog.
    if (this.#cursor === from) this.#cursor = result.cursor;
    return { more: result.more, silent: result.records.length === 0 && result.corrupt.length === 0 };
  }

  // A watchdog that reads up on what it missed goes on beating, probing and judging between the batches.
  #letOthersRun(signal?: AbortSignal): Promise<void> {
    return this.#options.clock.sleep(0, signal);
  }

  async #start(): Promise<Cursor> {
    if (this.#cursor !== undefined) return this.#cursor;
    const end = await this.#options.bus.end(this.#options.stream);
    // Whoever asked first has begun there: a later end would leave out what came between.
    this.#cursor ??= end;
    return this.#cursor;
  }
}
