/** A bus kept in Redis: one handle of one process. */
import type {
  AppendOptions,
  AppendOutcome,
  Bus,
  BusRecord,
  ConsumerGroup,
  Cursor,
  Fields,
  Latch,
  ProbeResult,
  ReadOptions,
  ReadResult,
} from '../bus.js';
import { appendRecord } from './append.js';
import { askScript, keysOf, type RedisContext } from './context.js';
import { RedisGroup } from './group.js';
import { RedisLatch } from './latch.js';
import type { RedisProbe } from './probe.js';
import type { Readers } from './readers.js';
import { collect, endOf, readStream } from './readStream.js';
import { LATEST } from './scripts.js';
import { entriesOf } from './wire.js';

export interface RedisBusParts {
  readonly url: string;
  readonly context: RedisContext;
  readonly readers: Readers;
  readonly probe: RedisProbe;
  /** Ends every connection; what waits is told that the bus is closed. */
  readonly close: () => Promise<void>;
}

export class RedisBus implements Bus {
  readonly url: string;
  readonly #parts: RedisBusParts;
  readonly #groups = new Map<string, RedisGroup>();
  readonly #firstSeen = new Map<string, BusRecord>();
  #closing: Promise<void> | undefined;

  constructor(parts: RedisBusParts) {
    this.url = parts.url;
    this.#parts = parts;
  }

  append(stream: string, fields: Fields, options: AppendOptions = {}): Promise<AppendOutcome> {
    return appendRecord(this.#parts.context, stream, fields, options);
  }

  read(stream: string, cursor: Cursor, options: ReadOptions = {}): Promise<ReadResult> {
    return readStream(this.#parts.context, this.#parts.readers, stream, cursor, options);
  }

  end(stream: string): Promise<Cursor> {
    return endOf(this.#parts.context, stream);
  }

  async latest(stream: string, key: string): Promise<BusRecord | undefined> {
    const { context } = this.#parts;
    const keys = keysOf(context.prefix);
    const reply = await askScript(context, LATEST, [keys.stream(stream), keys.latest(stream)], [key]);
    const [record] = collect(stream, entriesOf(reply), context.clock.monotonicMs()).records;
    if (record === undefined) return undefined;
    // Asked for again, an old record must not look fresh.
    const slot = `${stream}\n${key}`;
    const seen = this.#firstSeen.get(slot);
    if (seen?.id === record.id) return seen;
    this.#firstSeen.set(slot, record);
    return record;
  }

  group(stream: string, name: string): ConsumerGroup {
    const slot = `${stream}\n${name}`;
    let group = this.#groups.get(slot);
    if (group === undefined) {
      group = new RedisGroup(this.#parts.context, this.#parts.readers, stream, name);
      this.#groups.set(slot, group);
    }
    return group;
  }

  latch(key: string): Latch {
    return new RedisLatch(this.#parts.context, this.#parts.readers, key);
  }

  probe(): Promise<ProbeResult> {
    return this.#parts.probe.probe();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.handBack()));
    await this.#parts.close();
  }
}
