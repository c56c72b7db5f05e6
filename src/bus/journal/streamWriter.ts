/** Appends to one stream: one write per record, to a file that only this life of this process ever writes to. */
import { join } from 'node:path';
import { messageOf } from '../../errors.js';
import type { AppendOptions, AppendOutcome, Fields } from '../bus.js';
import { DEFAULT_APPEND_TIMEOUT_MS, HEARTBEAT_RETENTION_MS, isHeartbeatStream, MAX_RECORD_BYTES } from '../policy.js';
import { ensureDirectory, flushDirectory, type JournalContext, refusal, withinDeadline } from './context.js';
import { GroupFlush } from './groupFlush.js';
import { appendUnderKey } from './keyedAppend.js';
import { encodeName, recordId, segmentFile } from './names.js';
import { encodeRecord, encodeSeal, type WriterPosition } from './record.js';

const SEGMENT_BYTES = 8 * 1024 * 1024;
const HEARTBEAT_SEGMENT_MS = 20_000;
const WHERE_CHECK_MS = 250;

interface OpenSegment {
  readonly fd: number;
  readonly name: string;
  readonly path: string;
  readonly inode: number;
  readonly openedMs: number;
  size: number;
  nameIsDurable: boolean;
  /** The flush of its name that is under way. */
  nameFlush: Promise<void> | undefined;
  readonly flushes: GroupFlush;
  /** Appends that wait for one. */
  syncsUnderWay: number;
  /** A flush failed: nothing written to it and not yet confirmed can be called durable. */
  doubtful: boolean;
  /** Nothing more is written to it; it is closed when no flush is under way. */
  retired: boolean;
}

export class StreamWriter {
  readonly #context: JournalContext;
  readonly #stream: string;
  readonly #heartbeat: boolean;
  #directory: string | undefined;
  #segment: OpenSegment | undefined;
  #lastReached: WriterPosition | undefined;
  #segments = 0;
  #sequence = 0;
  #whereCheckedMs = Number.NEGATIVE_INFINITY;
  #ownClosed: { readonly path: string; readonly closedMs: number }[] = [];
  readonly #leftovers = new Map<string, { readonly size: number; readonly sinceMs: number }>();

  constructor(context: JournalContext, stream: string) {
    this.#context = context;
    this.#stream = stream;
    this.#heartbeat = isHeartbeatStream(stream);
  }

  /** Everything up to the write itself happens before the first await: the order of calls is the order of records. */
  async append(fields: Fields, options: AppendOptions): Promise<AppendOutcome> {
    const { clock } = this.#context;
    const nowMs = clock.monotonicMs();
    if (options.notAfterMs !== undefined && nowMs > options.notAfterMs) {
      return { outcome: 'refused', reason: 'deadline_passed', detail: 'notAfterMs has passed' };
    }
    const bytes = encodeRecord({
      wallMs: Math.round(clock.wallMs()),
      monotonicMs: nowMs,
      boot: this.#context.host.bootId,
      sequence: this.#sequence,
      key: options.key,
      fields,
      after: options.idempotencyKey === undefined ? undefined : this.#reached(),
    });
    if (bytes === undefined) {
      return { outcome: 'refused', reason: 'too_large', detail: `a record must be smaller than ${MAX_RECORD_BYTES} bytes` };
    }
    this.#sequence += 1;
    try {
      this.#directory = ensureDirectory(this.#context, 'streams', encodeName(this.#stream));
    } catch (error) {
      // Whatever stands there later, the open file is not part of it.
      this.#retire(false);
      return refusal(error);
    }
    if (options.idempotencyKey !== undefined) return appendUnderKey(this.#context, this.#directory, bytes, options.idempotencyKey, options);
    return this.#appendToSegment(this.#directory, bytes, nowMs, options.timeoutMs ?? DEFAULT_APPEND_TIMEOUT_MS);
  }

  close(): void {
    this.#retire(true);
  }

  #reached(): WriterPosition | undefined {
    return this.#segment === undefined ? this.#lastReached : { file: this.#segment.name, offset: this.#segment.size };
  }

  async #appendToSegment(directory: string, bytes: Buffer, nowMs: number, timeoutMs: number): Promise<AppendOutcome> {
    let segment: OpenSegment;
    try {
      segment = this.#currentSegment(directory, nowMs);
    } catch (error) {
      return refusal(error);
    }
    const offset = segment.size;
    const failed = this.#write(segment, bytes);
    if (failed !== undefined) return failed;
    if (!this.#heartbeat) {
      const problem = await this.#makeDurable(segment, directory, timeoutMs);
      if (problem !== undefined) return { outcome: 'unknown', detail: problem };
    }
    return { outcome: 'committed', id: recordId(segment.name, offset) };
  }

  #write(segment: OpenSegment, bytes: Buffer): AppendOutcome | undefined {
    const { files } = this.#context;
    let written: number;
    let links: number;
    try {
      written = files.write(segment.fd, bytes);
    } catch (error) {
      const refused = refusal(error);
      // Nothing was written, but a file at its size limit takes nothing more either; an empty one is kept, or a full disk would fill with empty files.
      if (segment.size > 0 || refused.reason === 'unavailable') this.#retire(false);
      return refused.reason === 'unavailable' ? { outcome: 'unknown', detail: refused.detail } : refused;
    }
    if (written < bytes.length) {
      // The rest will never be written here, so readers will never see this record as whole.
      this.#retire(false);
      return { outcome: 'refused', reason: 'no_space', detail: `${written} of ${bytes.length} bytes fitted` };
    }
    segment.size += written;
    try {
      links = files.statOpen(segment.fd).nlink;
    } catch (error) {
      return { outcome: 'unknown', detail: messageOf(error) };
    }
    if (links > 0) return undefined;
    this.#retire(false);
    return { outcome: 'unknown', detail: `${segment.path} was deleted under its writer` };
  }

  async #makeDurable(segment: OpenSegment, directory: string, timeoutMs: number): Promise<string | undefined> {
    const untilMs = this.#context.clock.monotonicMs() + timeoutMs;
    segment.syncsUnderWay += 1;
    const nameWasDurable = segment.nameIsDurable;
    const flushed = segment.flushes.request();
    const settled = (): void => {
      segment.syncsUnderWay -= 1;
      closeIfDone(this.#context, segment);
    };
    flushed.then(settled, settled);
    const file = await withinDeadline(this.#context, flushed, timeoutMs);
    // The system tells of a failed flush only once: whoever waited beside the one who was told has lost as much.
    if (segment.doubtful && file.durable) return 'the flush of an earlier record in the same file failed';
    if (!file.durable) {
      segment.doubtful = true;
      if (this.#segment === segment) this.#retire(false);
      return file.detail;
    }
    if (nameWasDurable) return undefined;
    // Whoever waits beside the first waits for the same flushes; one that fails is tried anew by the next.
    segment.nameFlush ??= this.#flushName(directory).finally(() => (segment.nameFlush = undefined));
    const name = await withinDeadline(this.#context, segment.nameFlush, Math.max(0, untilMs - this.#context.clock.monotonicMs()));
    if (!name.durable) return name.detail;
    segment.nameIsDurable = true;
    return undefined;
  }

  async #flushName(directory: string): Promise<void> {
    await flushDirectory(this.#context, directory);
    await flushDirectory(this.#context, join(this.#context.root, 'streams'));
  }

  #currentSegment(directory: string, nowMs: number): OpenSegment {
    const open = this.#segment;
    if (open !== undefined) {
      const outgrown = open.size >= SEGMENT_BYTES;
      const outlived = this.#heartbeat && nowMs - open.openedMs >= HEARTBEAT_SEGMENT_MS;
      const elsewhere = nowMs - this.#whereCheckedMs >= WHERE_CHECK_MS && !this.#stillInPlace(open, nowMs);
      if (!outgrown && !outlived && !elsewhere) return open;
      this.#retire(true);
      if (outlived) this.#trim(directory, nowMs);
    }
    const name = segmentFile(this.#context.generation, this.#segments);
    this.#segments += 1;
    const path = join(directory, name);
    const fd = this.#context.files.open(path, 'createAppend');
    this.#whereCheckedMs = nowMs;
    const inode = this.#context.files.statOpen(fd).ino;
    this.#segment = {
      fd,
      name,
      path,
      inode,
      openedMs: nowMs,
      size: 0,
      nameIsDurable: false,
      nameFlush: undefined,
      flushes: new GroupFlush(this.#context.flushFile, fd),
      syncsUnderWay: 0,
      doubtful: false,
      retired: false,
    };
    return this.#segment;
  }

  // A journal that was moved away takes writes as before, and nobody who knows its path can read them.
  #stillInPlace(segment: OpenSegment, nowMs: number): boolean {
    this.#whereCheckedMs = nowMs;
    return this.#context.files.stat(segment.path)?.ino === segment.inode;
  }

  #retire(orderly: boolean): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#lastReached = this.#reached();
    this.#segment = undefined;
    this.#ownClosed.push({ path: segment.path, closedMs: this.#context.clock.monotonicMs() });
    if (orderly) {
      try {
        this.#context.files.write(segment.fd, encodeSeal());
      } catch (error) {
        // The seal only spares readers a look at this file.
        this.#context.logger.debug({ path: segment.path, error: messageOf(error) }, 'could not seal a journal file');
      }
    }
    segment.retired = true;
    closeIfDone(this.#context, segment);
  }

  #trim(directory: string, nowMs: number): void {
    const old = this.#ownClosed.filter((file) => nowMs - file.closedMs > HEARTBEAT_RETENTION_MS);
    this.#ownClosed = this.#ownClosed.filter((file) => !old.includes(file));
    for (const { path } of old) this.#remove(path);
    try {
      for (const name of this.#context.files.list(directory)) {
        if (!name.startsWith(this.#context.generation)) this.#removeIfLeftover(join(directory, name), nowMs);
      }
    } catch (error) {
      this.#context.logger.debug({ directory, error: messageOf(error) }, 'could not look for old heartbeats');
    }
  }

  #removeIfLeftover(path: string, nowMs: number): void {
    const size = this.#context.files.stat(path)?.size;
    const seen = this.#leftovers.get(path);
    if (size === undefined) this.#leftovers.delete(path);
    else if (seen?.size !== size) this.#leftovers.set(path, { size, sinceMs: nowMs });
    else if (nowMs - seen.sinceMs >= this.#context.leftoverAgeMs) {
      this.#leftovers.delete(path);
      this.#remove(path);
    }
  }

  #remove(path: string): void {
    try {
      this.#context.files.unlink(path);
    } catch (error) {
      this.#context.logger.debug({ path, error: messageOf(error) }, 'could not remove old heartbeats');
    }
  }
}

function closeIfDone({ files }: JournalContext, segment: OpenSegment): void {
  if (segment.retired && segment.syncsUnderWay === 0) files.close(segment.fd);
}
