/** Follows one stream and hands each record on; a second reader can read to the end at any moment. Handlers take repeats. */
import { type Bus, type BusRecord, type CorruptRecord, type Cursor, FROM_START } from '../bus/bus.js';
import type { Clock } from '../clock.js';

export interface TailOptions {
  readonly bus: Pick<Bus, 'read' | 'end'>;
  readonly stream: string;
  /** `end`: only what comes after the first contact. */
  readonly from: 'start' | 'end';
  readonly clock: Clock;
  /** How long one read waits for news. */
  readonly blockMs: number;
  /** Between attempts without contact. */
  readonly retryMs: number;
  /** Records that come within this time are taken together: what wakes a reader for each costs more than the record. Default 10. */
  readonly gatherMs?: number;
  readonly take: (record: BusRecord) => void;
  readonly takeCorrupt: (record: CorruptRecord) => void;
  /** Called after each read that reached the bus, before its records are handed on. */
  readonly wake: () => void;
  readonly failed: (stream: string, error: unknown) => void;
}

const DEFAULT_GATHER_MS = 10;
const LIMIT = 5_000;

export class Tail {
  readonly #options: TailOptions;
  #cursor: Cursor | undefined;
  #reachedMs = Number.NEGATIVE_INFINITY;
  /** Whether the last read came back: the one after waits for nothing, so that contact shows at once. */
  #inContact = false;

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
    const { clock, failed, stream, retryMs, gatherMs = DEFAULT_GATHER_MS } = this.#options;
    while (!signal.aborted) {
      try {
        const askedMs = clock.monotonicMs();
        const more = await this.#step(signal);
        // A read that had to wait shows that records come seldom: there is nothing to gather.
        const waited = clock.monotonicMs() - askedMs >= gatherMs;
        if (!more && !waited) await clock.sleep(gatherMs, signal);
      } catch (error) {
        this.#inContact = false;
        failed(stream, error);
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Hands on everything that the stream holds now. Throws BusUnavailableError without contact. */
  async readToEnd(): Promise<void> {
    while (await this.#read({ blockMs: 0 })) await this.#letOthersRun();
  }

  async #step(signal: AbortSignal): Promise<boolean> {
    const more = await this.#read({ blockMs: this.#inContact ? this.#options.blockMs : 0, signal });
    this.#inContact = true;
    // Only here: who no longer follows must not look as if it did.
    if (!signal.aborted) this.#reachedMs = this.#options.clock.monotonicMs();
    if (more) await this.#letOthersRun(signal);
    return more;
  }

  /** True: records may remain. */
  async #read(options: { readonly blockMs: number; readonly signal?: AbortSignal }): Promise<boolean> {
    const { bus, stream, take, takeCorrupt, wake } = this.#options;
    const from = await this.#start();
    const result = await bus.read(stream, from, { ...options, limit: LIMIT });
    if (options.signal?.aborted) return false;
    wake();
    for (const record of result.records) take(record);
    for (const record of result.corrupt) takeCorrupt(record);
    // Where the other reader has moved on meanwhile, its place stands: both share the work of a long backlog.
    if (this.#cursor === from) this.#cursor = result.cursor;
    return result.more;
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
