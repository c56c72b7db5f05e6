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
        const more = await this.#step(signal);
        if (!more) await clock.sleep(GATHER_MS, signal);
      } catch (error) {
        failed(stream, error);
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Hands on everything that the stream holds now. Throws BusUnavailableError without contact. */
  async readToEnd(): Promise<void> {
    const { bus, stream, take, wake } = this.#options;
    let cursor = await this.#start();
    for (let more = true; more; ) {
      const result = await bus.read(stream, cursor, { blockMs: 0, limit: LIMIT });
      wake();
      for (const record of result.records) take(record);
      cursor = result.cursor;
      more = result.more;
    }
  }

  async #step(signal: AbortSignal): Promise<boolean> {
    const { bus, clock, stream, take, takeCorrupt, wake } = this.#options;
    const cursor = await this.#start();
    const result = await bus.read(stream, cursor, { blockMs: BLOCK_MS, signal, limit: LIMIT });
    if (signal.aborted) return false;
    wake();
    this.#reachedMs = clock.monotonicMs();
    for (const record of result.records) take(record);
    for (const record of result.corrupt) takeCorrupt(record);
    this.#cursor = result.cursor;
    return result.more;
  }

  async #start(): Promise<Cursor> {
    this.#cursor ??= await this.#options.bus.end(this.#options.stream);
    return this.#cursor;
  }
}
