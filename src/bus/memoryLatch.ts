/** The latch of the in-process bus. */
import type { Clock } from '../clock.js';
import {
  BusDoubtError,
  BusUnavailableError,
  type CompareAndSetOutcome,
  type Fields,
  type Latch,
  type LatchValue,
  type ReadOptions,
} from './bus.js';
import type { LatchStore } from './memoryStore.js';
import { boundedBlockMs, MAX_RECORD_BYTES } from './policy.js';
import type { Wakeups } from './waiting.js';

export interface HandleOfMemory {
  readonly closed: boolean;
  waitFor(sources: readonly Wakeups[], delayMs: number, signal?: AbortSignal): Promise<void>;
}

export class MemoryLatch implements Latch {
  readonly #clock: Clock;
  readonly #store: LatchStore;
  readonly #handle: HandleOfMemory;

  constructor(clock: Clock, store: LatchStore, handle: HandleOfMemory) {
    this.#clock = clock;
    this.#store = store;
    this.#handle = handle;
  }

  #read(): LatchValue {
    if (this.#handle.closed) throw new BusUnavailableError('the bus is closed');
    if (this.#store.fields === undefined) throw new BusDoubtError(`version ${this.#store.version} of the latch cannot be understood`);
    return { version: this.#store.version, fields: this.#store.fields, sentMs: this.#clock.monotonicMs() };
  }

  async get(): Promise<LatchValue> {
    return this.#read();
  }

  async compareAndSet(expectedVersion: number, fields: Fields): Promise<CompareAndSetOutcome> {
    if (this.#handle.closed) return { outcome: 'refused', reason: 'closed', detail: 'the bus is closed' };
    if (this.#store.version !== expectedVersion) return { outcome: 'conflict' };
    if (this.#store.fields === undefined) {
      return { outcome: 'refused', reason: 'unavailable', detail: `version ${expectedVersion} of the latch cannot be understood` };
    }
    if (Buffer.byteLength(JSON.stringify(fields)) > MAX_RECORD_BYTES - 512) {
      return { outcome: 'refused', reason: 'too_large', detail: `a value must be smaller than ${MAX_RECORD_BYTES} bytes` };
    }
    this.#store.version = expectedVersion + 1;
    this.#store.fields = Object.freeze({ ...fields });
    this.#store.changed.wakeAll();
    return { outcome: 'committed', version: this.#store.version };
  }

  async watch(knownVersion: number, options: Pick<ReadOptions, 'blockMs' | 'signal'>): Promise<LatchValue> {
    const untilMs = this.#clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      const value = this.#read();
      const leftMs = untilMs - this.#clock.monotonicMs();
      if (value.version !== knownVersion || leftMs <= 0 || options.signal?.aborted) return value;
      await this.#handle.waitFor([this.#store.changed], leftMs, options.signal);
    }
  }
}
