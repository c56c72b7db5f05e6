/** Reads a stream from a cursor: what is new in each writer's files, put together in one order. */
import { messageOf, systemCodeOf } from '../../errors.js';
import { type BusRecord, BusUnavailableError, type CorruptRecord, type Cursor } from '../bus.js';
import { MAX_RECORD_BYTES } from '../policy.js';
import { currentIdentity, ensureDirectory, type JournalContext } from './context.js';
import { DirectoryWatch } from './directoryWatch.js';
import { encodeName, recordId } from './names.js';
import { type FoundRecord, NewestIndex, type Slice } from './newestIndex.js';
import { lastLineStart, type Parsed, type ParsedItem, parseRecords } from './record.js';
import { BEFORE_ALL, compareWhen, later, type When, whenOf } from './recordOrder.js';
import { type StreamFile, StreamFiles } from './streamFiles.js';

// One look at one file takes in no more than this; far above the largest record, so that a look always makes progress.
const CHUNK_BYTES = 256 * 1024;
// A whole record with a wrong checksum at the end of a file may be one that is being written on some file systems: it is
// called corrupt only after it has stood so for this long.
const DAMAGED_AFTER_MS = 1_000;

export interface Pass extends Slice {
  readonly corrupt: readonly CorruptRecord[];
}

interface FileRest {
  readonly position: number;
  readonly more: boolean;
}

interface Found {
  readonly file: StreamFile;
  readonly item: ParsedItem;
  /** Where the reader stands after it. */
  readonly next: number;
  readonly when: When;
}

// Reads are synchronous, so that one buffer serves them all.
const buffer = Buffer.allocUnsafe(CHUNK_BYTES);

export class StreamReader {
  readonly watch: DirectoryWatch;
  readonly #context: JournalContext;
  readonly #stream: string;
  readonly #directory: string;
  readonly #files: StreamFiles;
  /** Cursors that are past every finished file, and how many were finished then. */
  readonly #pastFinished = new WeakMap<Cursor, number>();
  readonly #index: NewestIndex;

  constructor(context: JournalContext, stream: string) {
    this.#context = context;
    this.#stream = stream;
    this.watch = new DirectoryWatch(context);
    this.#directory = `${context.root}/streams/${encodeName(stream)}`;
    this.#files = new StreamFiles(context, this.#directory);
    this.#index = new NewestIndex(context, (cursor) => this.pass(cursor, Number.POSITIVE_INFINITY));
  }

  /** One look at everything that has been written behind `cursor`. Throws {@link BusUnavailableError} without contact. */
  pass(cursor: Cursor, limit: number): Pass {
    const nowMs = this.#context.clock.monotonicMs();
    this.#refresh(nowMs, cursor);
    const files = this.#pastFinished.get(cursor) === this.#files.finishedCount ? this.#files.growing : this.#files.all;
    const found: Found[] = [];
    const readTo = new Map<string, number>();
    const cutShort = new Set<string>();
    let heldBack: string | undefined;
    for (const file of files) {
      const from = offsetIn(cursor, file.name);
      const before = found.length;
      // A later file of the same writer waits until this one is read to its end.
      const rest = heldBack === file.writer ? { position: from, more: from < file.size } : this.#readFile(file, from, nowMs, found);
      if (file.keyed && this.#isAhead(found[before], cursor, readTo, cutShort, nowMs)) {
        found.length = before;
        cutShort.add(file.name);
        continue;
      }
      if (rest.position > from) readTo.set(file.name, rest.position);
      if (!rest.more) continue;
      cutShort.add(file.name);
      heldBack = file.writer;
    }
    const more = cutShort.size > 0;
    const ordered = inOneOrder(found);
    if (ordered.length <= limit) return this.#result(cursor, ordered, readTo, nowMs, more);
    const taken = ordered.slice(0, limit);
    return this.#result(cursor, taken, new Map(taken.map((one) => [one.file.name, one.next])), nowMs, true);
  }

  /** The newest record under `key`, over all writers. */
  latest(key: string): Promise<BusRecord | undefined> {
    return this.#index.latest(key);
  }

  /** Told from the last line of each file: what stands before it may be long, and nobody who asks wants to read it. */
  end(): Cursor {
    this.#refresh(this.#context.clock.monotonicMs(), {});
    const cursor = Object.fromEntries(this.#files.all.map((file) => [file.name, this.#endOf(file)]));
    this.#pastFinished.set(cursor, this.#files.finishedCount);
    return cursor;
  }

  /** Called before a wait. True: the watch has begun just now, look once more before waiting. */
  followChanges(): boolean {
    return this.watch.follow(this.#directory, this.#files.place);
  }

  close(): void {
    this.watch.close();
  }

  #endOf(file: StreamFile): number {
    const from = Math.max(0, file.size - MAX_RECORD_BYTES);
    const bytes = this.#bytesOf(file, from);
    const start = bytes === undefined ? undefined : lastLineStart(bytes);
    if (bytes === undefined || start === undefined) return from;
    const { consumed, sealed, tail } = parseRecords(bytes.subarray(start));
    if (tail === 'none' && from + bytes.length >= file.size && (sealed || file.writerEnded)) this.#files.finish(file);
    return from + start + consumed;
  }

  #refresh(nowMs: number, cursor: Cursor): void {
    try {
      this.#files.refresh(nowMs);
      if (this.#pastFinished.has(cursor)) return;
      for (const name in cursor) {
        if (this.#files.get(name) !== undefined) continue;
        // A cursor of another handle may know a file that our last listing did not.
        this.#files.refresh(nowMs, true);
        break;
      }
    } catch (error) {
      if (!(error instanceof BusUnavailableError)) throw new BusUnavailableError(messageOf(error), { cause: error });
      currentIdentity(this.#context);
      this.#makeDirectory();
      this.#files.refresh(nowMs);
    }
  }

  #makeDirectory(): void {
    try {
      ensureDirectory(this.#context, 'streams', encodeName(this.#stream));
    } catch (error) {
      throw new BusUnavailableError(`${this.#directory}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** True for a record with a file of its own while something that its writer wrote before it is still to be read. */
  #isAhead(
    found: Found | undefined,
    cursor: Cursor,
    readTo: ReadonlyMap<string, number>,
    cutShort: ReadonlySet<string>,
    nowMs: number,
  ): boolean {
    const after = found?.item.kind === 'record' ? found.item.envelope.after : undefined;
    const other = after === undefined ? undefined : this.#files.get(after.file);
    if (after === undefined || other === undefined) return false;
    if ((readTo.get(other.name) ?? offsetIn(cursor, other.name)) >= after.offset) return false;
    if (cutShort.has(other.name)) return true;
    // Its size was taken before that was written. Where it stays short the file is damaged, and nothing may wait for it.
    if (other.size >= after.offset) return false;
    this.#files.lookAgain(other, nowMs);
    return other.size >= after.offset;
  }

  /** Adds what is new in `file`, and says where that ends. */
  #readFile(file: StreamFile, from: number, nowMs: number, found: Found[]): FileRest {
    if (from >= file.size) {
      if (file.writerEnded) this.#files.finish(file);
      return { position: from, more: false };
    }
    const stuck = file.stuckAt;
    const stoodMs = stuck?.offset === from && stuck.size === file.size ? nowMs - stuck.sinceMs : undefined;
    if (stoodMs !== undefined && stoodMs < DAMAGED_AFTER_MS) return { position: from, more: false };
    const bytes = this.#bytesOf(file, from);
    if (bytes === undefined) return { position: from, more: false };
    const parsed = parseRecords(bytes, from);
    this.#collect(file, parsed, found);
    const position = from + parsed.consumed;
    if (from + bytes.length < file.size) return { position, more: true };
    if (parsed.tail === 'none') {
      if (parsed.sealed || file.writerEnded) this.#files.finish(file);
      return { position, more: false };
    }
    if (parsed.tail === 'damaged' && parsed.consumed === 0 && stoodMs !== undefined) {
      const item: ParsedItem = { kind: 'corrupt', start: from, end: file.size, problem: 'bad checksum' };
      found.push({ file, item, next: file.size, when: BEFORE_ALL });
      return { position: file.size, more: false };
    }
    this.#rememberStuck(file, position, parsed.tail === 'incomplete', nowMs);
    return { position, more: false };
  }

  #collect(file: StreamFile, parsed: Parsed, found: Found[]): void {
    const before = found.at(-1);
    let last = before?.file.writer === file.writer ? before.when : BEFORE_ALL;
    for (const item of parsed.items) {
      // The order of one writer stands above the order of times: a clock that stepped back must not turn its records around.
      if (item.kind === 'record') last = later(last, whenOf(item.envelope, this.#context.host.bootId));
      found.push({ file, item, next: item.end, when: last });
    }
  }

  #rememberStuck(file: StreamFile, offset: number, incomplete: boolean, nowMs: number): void {
    // An incomplete record is worth another look only when the file has grown.
    file.stuckAt = { offset, size: file.size, sinceMs: incomplete ? Number.POSITIVE_INFINITY : nowMs };
    if (incomplete && file.writerEnded) this.#files.finish(file);
  }

  #bytesOf(file: StreamFile, from: number): Buffer | undefined {
    const { files } = this.#context;
    let fd: number;
    try {
      fd = files.open(`${this.#directory}/${file.name}`, 'read');
    } catch (error) {
      // Old heartbeats are deleted by their writers while we read.
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw new BusUnavailableError(messageOf(error), { cause: error });
    }
    try {
      const length = files.read(fd, buffer, Math.min(CHUNK_BYTES, file.size - from), from);
      return buffer.subarray(0, length);
    } catch (error) {
      throw new BusUnavailableError(messageOf(error), { cause: error });
    } finally {
      files.close(fd);
    }
  }

  #result(cursor: Cursor, taken: readonly Found[], readTo: ReadonlyMap<string, number>, nowMs: number, more: boolean): Pass {
    const records: FoundRecord[] = [];
    const corrupt: CorruptRecord[] = [];
    for (const { file, item } of taken) {
      const id = recordId(file.name, item.start);
      if (item.kind === 'corrupt') corrupt.push({ id, problem: item.problem });
      else {
        const { key, fields, wallMs } = item.envelope;
        const record = { id, stream: this.#stream, key, fields, appendedWallMs: wallMs, receivedMs: nowMs };
        records.push({ record, envelope: item.envelope });
      }
    }
    const moved = this.#movedCursor(cursor, readTo);
    if (!more) this.#pastFinished.set(moved, this.#files.finishedCount);
    return { records, corrupt, cursor: moved, more };
  }

  #movedCursor(cursor: Cursor, readTo: ReadonlyMap<string, number>): Cursor {
    if (readTo.size === 0) return cursor;
    const moved = new Map([...Object.entries(cursor), ...readTo]);
    // Deleted files never come back: names are used once.
    return Object.fromEntries([...moved].filter(([name]) => this.#files.get(name) !== undefined));
  }
}

function offsetIn(cursor: Cursor, name: string): number {
  const offset = cursor[name];
  return typeof offset === 'number' ? offset : 0;
}

function inOneOrder(found: Found[]): readonly Found[] {
  const single = found.every((one) => one.file === found[0]?.file);
  return single ? found : found.sort((a, b) => compareWhen(a.when, b.when));
}
