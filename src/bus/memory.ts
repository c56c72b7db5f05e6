/** A bus inside one process: every rule of the port, no files. Several handles share it as several processes would. */
import { type Clock, systemClock } from '../clock.js';
import { type Random, systemRandom } from '../random.js';
import {
  type AppendOptions,
  type AppendOutcome,
  type Bus,
  type BusRecord,
  BusUnavailableError,
  type ConsumerGroup,
  type CorruptRecord,
  type Cursor,
  type Fields,
  type Latch,
  type ProbeResult,
  type ReadOptions,
  type ReadResult,
} from './bus.js';
import { MemoryGroup } from './memoryGroup.js';
import { MemoryLatch } from './memoryLatch.js';
import { addEntry, latchOf, type MemoryStore, type StoredStream, streamOf, trimOld } from './memoryStore.js';
import { boundedBlockMs, DEFAULT_READ_LIMIT, MAX_RECORD_BYTES } from './policy.js';
import { Wakeups, waitForChange } from './waiting.js';

export interface MemoryBusOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Records that a stream can hold before appends are refused as `no_space`. Default: no limit. */
  readonly capacity?: number;
}

/** One in-process bus; `handle()` opens another door to it. */
export interface MemoryBus {
  handle(): Bus;
  /** Puts a record in that nobody can understand, as damage on a disk would. */
  corrupt(stream: string): void;
  /** Makes the newest value of a latch one that nobody can understand. */
  spoilLatch(key: string): void;
}

export function createMemoryBus(options: MemoryBusOptions = {}): MemoryBus {
  const random = options.random ?? systemRandom;
  const store: MemoryStore = {
    clock: options.clock ?? systemClock,
    random,
    capacity: options.capacity ?? Number.POSITIVE_INFINITY,
    identity: random.id(),
    streams: new Map(),
    latches: new Map(),
    writers: 0,
  };
  return {
    handle: () => new MemoryHandle(store),
    corrupt: (stream) => addEntry(store, streamOf(store, stream), undefined),
    spoilLatch: (key) => {
      const latch = latchOf(store, key);
      latch.version += 1;
      latch.fields = undefined;
      latch.changed.wakeAll();
    },
  };
}

class MemoryHandle implements Bus {
  readonly url = 'memory:';
  readonly #store: MemoryStore;
  readonly #writer: number;
  #appended = 0;
  readonly #closing = new AbortController();
  readonly #groups = new Map<string, MemoryGroup>();
  readonly #firstSeen = new Map<string, BusRecord>();

  constructor(store: MemoryStore) {
    this.#store = store;
    store.writers += 1;
    this.#writer = store.writers;
  }

  async append(streamName: string, fields: Fields, options: AppendOptions = {}): Promise<AppendOutcome> {
    const { clock, capacity } = this.#store;
    if (this.#closing.signal.aborted) return { outcome: 'refused', reason: 'closed', detail: 'the bus is closed' };
    const stream = streamOf(this.#store, streamName);
    if (options.notAfterMs !== undefined && clock.monotonicMs() > options.notAfterMs) {
      return { outcome: 'refused', reason: 'deadline_passed', detail: 'notAfterMs has passed' };
    }
    if (Buffer.byteLength(JSON.stringify(fields)) + (options.key?.length ?? 0) > MAX_RECORD_BYTES - 512) {
      return { outcome: 'refused', reason: 'too_large', detail: `a record must be smaller than ${MAX_RECORD_BYTES} bytes` };
    }
    if (options.idempotencyKey !== undefined && stream.keys.has(options.idempotencyKey)) {
      return { outcome: 'refused', reason: 'duplicate', detail: `${options.idempotencyKey} was appended before` };
    }
    trimOld(this.#store, streamName, stream);
    if (stream.entries.length >= capacity)
      return { outcome: 'refused', reason: 'no_space', detail: `the stream holds ${capacity} records` };
    if (options.idempotencyKey !== undefined) stream.keys.add(options.idempotencyKey);
    this.#appended += 1;
    const id = `${this.#writer}-${this.#appended}`;
    const appendedWallMs = clock.wallMs();
    addEntry(this.#store, stream, { id, stream: streamName, key: options.key, fields: Object.freeze({ ...fields }), appendedWallMs });
    return { outcome: 'committed', id };
  }

  async read(streamName: string, cursor: Cursor, options: ReadOptions = {}): Promise<ReadResult> {
    const { clock } = this.#store;
    const untilMs = clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      this.#mustBeOpen();
      const stream = streamOf(this.#store, streamName);
      trimOld(this.#store, streamName, stream);
      const result = collect(clock, stream, cursor, options.limit ?? DEFAULT_READ_LIMIT);
      const leftMs = untilMs - clock.monotonicMs();
      if (result.records.length > 0 || result.corrupt.length > 0 || leftMs <= 0 || options.signal?.aborted) return result;
      await this.waitFor([stream.changed], leftMs, options.signal);
    }
  }

  async end(streamName: string): Promise<Cursor> {
    this.#mustBeOpen();
    return { log: streamOf(this.#store, streamName).nextPosition };
  }

  async latest(streamName: string, key: string): Promise<BusRecord | undefined> {
    this.#mustBeOpen();
    const newest = streamOf(this.#store, streamName).latest.get(key);
    if (newest === undefined) return undefined;
    const slot = `${streamName}\n${key}`;
    const seen = this.#firstSeen.get(slot);
    if (seen?.id === newest.id) return seen;
    const record = { ...newest, receivedMs: this.#store.clock.monotonicMs() };
    this.#firstSeen.set(slot, record);
    return record;
  }

  group(streamName: string, name: string): ConsumerGroup {
    const slot = `${streamName}\n${name}`;
    let group = this.#groups.get(slot);
    if (group === undefined) {
      group = new MemoryGroup(this.#store, streamName, name, this);
      this.#groups.set(slot, group);
    }
    return group;
  }

  latch(key: string): Latch {
    return new MemoryLatch(this.#store.clock, latchOf(this.#store, key), this);
  }

  async probe(): Promise<ProbeResult> {
    if (this.#closing.signal.aborted) return { ok: false, detail: 'the bus is closed' };
    return { ok: true, sentMs: this.#store.clock.monotonicMs(), roundTripMs: 0, identity: this.#store.identity };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const group of this.#groups.values()) group.handBack();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  #mustBeOpen(): void {
    if (this.closed) throw new BusUnavailableError('the bus is closed');
  }

  /** Waits for a change, an abort, or the closing of this handle. */
  async waitFor(sources: readonly Wakeups[], delayMs: number, signal?: AbortSignal): Promise<void> {
    const closing = new Wakeups();
    const wake = () => closing.wakeAll();
    this.#closing.signal.addEventListener('abort', wake, { once: true });
    try {
      if (!this.closed) await waitForChange(this.#store.clock, delayMs, signal, [...sources, closing]);
    } finally {
      this.#closing.signal.removeEventListener('abort', wake);
    }
  }
}

function collect(clock: Clock, stream: StoredStream, cursor: Cursor, limit: number): ReadResult {
  const from = typeof cursor['log'] === 'number' ? cursor['log'] : 0;
  const records: BusRecord[] = [];
  const corrupt: CorruptRecord[] = [];
  const receivedMs = clock.monotonicMs();
  let next = from;
  let more = false;
  const first = stream.entries[0]?.position ?? stream.nextPosition;
  for (let index = Math.max(0, from - first); index < stream.entries.length; index += 1) {
    const entry = stream.entries[index];
    if (entry === undefined) break;
    if (records.length >= limit) {
      more = true;
      break;
    }
    if (entry.record === undefined) corrupt.push({ id: `corrupt-${entry.position}`, problem: 'bad checksum' });
    else records.push({ ...entry.record, receivedMs });
    next = entry.position + 1;
  }
  return { records, corrupt, cursor: next === from ? cursor : { log: next }, contactMs: receivedMs, more };
}
