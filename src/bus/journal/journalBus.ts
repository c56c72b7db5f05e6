/** A bus kept in a directory of files: one handle of one process. */
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
import { boundedBlockMs, DEFAULT_READ_LIMIT } from '../policy.js';
import { type JournalContext, mustBeOpen, REFUSED_AS_CLOSED } from './context.js';
import { waitForDirectories } from './directoryWatch.js';
import { JournalGroup } from './journalGroup.js';
import { JournalLatch } from './journalLatch.js';
import { JournalProbe } from './journalProbe.js';
import { StreamReader } from './streamReader.js';
import { StreamWriter } from './streamWriter.js';

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

export class JournalBus implements Bus {
  readonly url: string;
  readonly #context: JournalContext;
  readonly #abort: () => void;
  readonly #writers = new Map<string, StreamWriter>();
  readonly #readers = new Map<string, StreamReader>();
  readonly #groups = new Map<string, JournalGroup>();
  readonly #latches = new Map<string, JournalLatch>();
  readonly #probe: JournalProbe;

  constructor(url: string, context: JournalContext, abort: () => void) {
    this.url = url;
    this.#context = context;
    this.#abort = abort;
    this.#probe = new JournalProbe(context);
  }

  async append(stream: string, fields: Fields, options: AppendOptions = {}): Promise<AppendOutcome> {
    if (this.#context.closing.aborted) return REFUSED_AS_CLOSED;
    return getOrMake(this.#writers, stream, () => new StreamWriter(this.#context, stream)).append(fields, options);
  }

  async read(stream: string, cursor: Cursor, options: ReadOptions = {}): Promise<ReadResult> {
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + boundedBlockMs(options.blockMs);
    const limit = options.limit ?? DEFAULT_READ_LIMIT;
    let at = cursor;
    for (;;) {
      const reader = this.#reader(stream);
      const contactMs = clock.monotonicMs();
      const pass = reader.pass(at, limit);
      at = pass.cursor;
      const leftMs = untilMs - clock.monotonicMs();
      const somethingToTell = pass.records.length > 0 || pass.corrupt.length > 0;
      if (somethingToTell || (leftMs <= 0 && !pass.more) || options.signal?.aborted) {
        return { records: pass.records.map((found) => found.record), corrupt: pass.corrupt, cursor: at, contactMs, more: pass.more };
      }
      if (pass.more || reader.followChanges()) continue;
      await waitForDirectories(this.#context, leftMs, options.signal, [reader.watch]);
    }
  }

  async end(stream: string): Promise<Cursor> {
    return this.#reader(stream).end();
  }

  async latest(stream: string, key: string): Promise<BusRecord | undefined> {
    return this.#reader(stream).latest(key);
  }

  group(stream: string, name: string): ConsumerGroup {
    return getOrMake(this.#groups, `${stream}\n${name}`, () => new JournalGroup(this.#context, stream, name, () => this.#reader(stream)));
  }

  latch(key: string): Latch {
    return getOrMake(this.#latches, key, () => new JournalLatch(this.#context, key));
  }

  async probe(): Promise<ProbeResult> {
    return this.#probe.probe();
  }

  async close(): Promise<void> {
    if (this.#context.closing.aborted) return;
    for (const group of this.#groups.values()) group.close();
    this.#abort();
    for (const writer of this.#writers.values()) writer.close();
    for (const reader of this.#readers.values()) reader.close();
    for (const latch of this.#latches.values()) latch.close();
    this.#probe.close();
    this.#context.closed.wakeAll();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #reader(stream: string): StreamReader {
    mustBeOpen(this.#context);
    return getOrMake(this.#readers, stream, () => new StreamReader(this.#context, stream));
  }
}
