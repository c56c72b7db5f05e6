/** Latches over plain files: version v is a file that only one writer can give its name, and the highest version counts. */
import { join } from 'node:path';
import { messageOf, systemCodeOf } from '../../errors.js';
import {
  BusDoubtError,
  BusUnavailableError,
  type CompareAndSetOutcome,
  type Fields,
  type Latch,
  type LatchValue,
  type ReadOptions,
} from '../bus.js';
import { boundedBlockMs, DEFAULT_APPEND_TIMEOUT_MS, MAX_RECORD_BYTES } from '../policy.js';
import { ensureDirectory, type JournalContext, mustBeOpen, REFUSED_AS_CLOSED, refusal, syncDirectory } from './context.js';
import { DirectoryListing } from './directoryListing.js';
import { DirectoryWatch, waitForDirectories } from './directoryWatch.js';
import { discardTemporary, linkFailure, writeTemporary } from './keyedAppend.js';
import { encodeName } from './names.js';
import { encodeRecord, parseRecords } from './record.js';

const VERSION_PREFIX = 'latch.';

/** One version as it stands in its file. */
interface StoredVersion {
  readonly fields: Fields;
  /** Names this very file, and the one whose value it replaced. */
  readonly self: string;
  readonly predecessor: string;
}

export class JournalLatch implements Latch {
  readonly #context: JournalContext;
  readonly #parts: readonly string[];
  readonly #directory: string;
  readonly #listing: DirectoryListing;
  readonly #watch: DirectoryWatch;
  readonly #firstSeenMs = new Map<number, number>();
  #writes = 0;

  constructor(context: JournalContext, key: string) {
    this.#context = context;
    this.#parts = ['latches', encodeName(key)];
    this.#directory = join(context.root, ...this.#parts);
    this.#listing = new DirectoryListing(context.files, this.#directory);
    this.#watch = new DirectoryWatch(context);
  }

  async get(): Promise<LatchValue> {
    return this.#read();
  }

  async compareAndSet(expectedVersion: number, fields: Fields): Promise<CompareAndSetOutcome> {
    if (this.#context.closing.aborted) return REFUSED_AS_CLOSED;
    const startedMs = this.#context.clock.monotonicMs();
    let predecessor: string;
    try {
      const newest = this.#newestVersion();
      if (newest !== expectedVersion) return { outcome: 'conflict' };
      const stored = newest === 0 ? undefined : this.#load(newest);
      // Removed since it was listed: there is a newer one.
      if (newest !== 0 && stored === undefined) return { outcome: 'conflict' };
      predecessor = stored?.self ?? '';
    } catch (error) {
      return refusal(error);
    }
    this.#writes += 1;
    const self = `${this.#context.generation}.${this.#writes}`;
    const bytes = this.#encode({ fields, self, predecessor });
    if (bytes === undefined) {
      return { outcome: 'refused', reason: 'too_large', detail: `a value must be smaller than ${MAX_RECORD_BYTES} bytes` };
    }
    const temporary = await writeTemporary(this.#context, bytes, DEFAULT_APPEND_TIMEOUT_MS);
    if (!temporary.written) return temporary.refused;
    return this.#publish(temporary.path, expectedVersion + 1, self, startedMs);
  }

  async watch(knownVersion: number, options: Pick<ReadOptions, 'blockMs' | 'signal'>): Promise<LatchValue> {
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      const value = this.#read();
      const leftMs = untilMs - clock.monotonicMs();
      if (value.version !== knownVersion || leftMs <= 0 || options.signal?.aborted) return value;
      this.#listing.list(clock.monotonicMs());
      if (this.#watch.follow(this.#directory, this.#listing.place)) continue;
      await waitForDirectories(this.#context, leftMs, options.signal, [this.#watch]);
    }
  }

  close(): void {
    this.#watch.close();
  }

  #read(): LatchValue {
    mustBeOpen(this.#context);
    const sentMs = this.#context.clock.monotonicMs();
    try {
      for (;;) {
        const version = this.#newestVersion();
        if (version === 0) return { version, fields: {}, sentMs };
        const stored = this.#load(version);
        if (stored !== undefined) return { version, fields: stored.fields, sentMs };
      }
    } catch (error) {
      if (error instanceof BusUnavailableError) throw error;
      throw new BusUnavailableError(messageOf(error), { cause: error });
    }
  }

  #versions(): readonly number[] {
    ensureDirectory(this.#context, ...this.#parts);
    const nowMs = this.#context.clock.monotonicMs();
    const versions: number[] = [];
    for (const name of this.#context.files.list(this.#directory)) {
      const version = name.startsWith(VERSION_PREFIX) ? Number(name.slice(VERSION_PREFIX.length)) : 0;
      if (Number.isSafeInteger(version) && version > 0) versions.push(version);
    }
    for (const version of versions) if (!this.#firstSeenMs.has(version)) this.#firstSeenMs.set(version, nowMs);
    return versions;
  }

  #newestVersion(): number {
    return this.#versions().reduce((newest, version) => Math.max(newest, version), 0);
  }

  #path(version: number): string {
    return join(this.#directory, `${VERSION_PREFIX}${version}`);
  }

  #encode({ fields, self, predecessor }: StoredVersion): Buffer | undefined {
    const { clock, host } = this.#context;
    const key = `${self} ${predecessor}`;
    return encodeRecord({
      wallMs: Math.round(clock.wallMs()),
      monotonicMs: clock.monotonicMs(),
      boot: host.bootId,
      sequence: this.#writes,
      key,
      fields,
    });
  }

  /** Undefined: there is no such version (any more). Throws {@link BusDoubtError} where it cannot be understood. */
  #load(version: number): StoredVersion | undefined {
    const path = this.#path(version);
    let bytes: Buffer;
    try {
      bytes = this.#context.files.readAll(path);
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw new BusDoubtError(`${path}: cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const { items, tail } = parseRecords(bytes);
    const item = items[0];
    if (item?.kind !== 'record' || items.length !== 1 || tail !== 'none' || item.envelope.key === undefined) {
      throw new BusDoubtError(`${path}: cannot be understood: ${item?.kind === 'corrupt' ? item.problem : 'not one whole value'}`);
    }
    const [self = '', predecessor = ''] = item.envelope.key.split(' ');
    return { fields: item.envelope.fields, self, predecessor };
  }

  async #publish(temporary: string, version: number, self: string, startedMs: number): Promise<CompareAndSetOutcome> {
    try {
      if (this.#context.closing.aborted) return REFUSED_AS_CLOSED;
      this.#context.files.link(temporary, this.#path(version));
    } catch (error) {
      return systemCodeOf(error) === 'EEXIST' ? { outcome: 'conflict' } : linkFailure(error);
    } finally {
      discardTemporary(this.#context, temporary);
    }
    // The directory's own name is made durable once.
    const directories = version === 1 ? [this.#directory, join(this.#context.root, 'latches')] : [this.#directory];
    for (const directory of directories) {
      const synced = await syncDirectory(this.#context, directory, DEFAULT_APPEND_TIMEOUT_MS);
      if (!synced.durable) return { outcome: 'unknown', detail: synced.detail };
    }
    try {
      return this.#judge(version, self, startedMs);
    } catch (error) {
      return { outcome: 'unknown', detail: messageOf(error) };
    }
  }

  /**
   * A name can be free because nobody had it yet, or because it was removed long after newer ones came, while this process
   * stood still. Only the newest version, or one that the next was built on, has been set.
   */
  #judge(version: number, self: string, startedMs: number): CompareAndSetOutcome {
    const newest = this.#newestVersion();
    if (newest === version) {
      this.#removeOld(newest);
      return { outcome: 'committed', version };
    }
    if (newest < version) return { outcome: 'unknown', detail: `version ${version} has vanished` };
    const successor = this.#load(version + 1);
    if (successor?.predecessor === self) return { outcome: 'committed', version };
    if (successor !== undefined) {
      discardTemporary(this.#context, this.#path(version));
      return { outcome: 'conflict' };
    }
    const tookMs = this.#context.clock.monotonicMs() - startedMs;
    return { outcome: 'unknown', detail: `version ${version + 1} was removed while this process stood still for ${Math.round(tookMs)} ms` };
  }

  // The newest and its predecessor stay whatever their age: the predecessor's writer may still have to learn what became of it.
  #removeOld(newest: number): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (const [version, sinceMs] of this.#firstSeenMs) {
      if (version >= newest - 1 || nowMs - sinceMs < this.#context.leftoverAgeMs) continue;
      this.#firstSeenMs.delete(version);
      try {
        this.#context.files.unlink(this.#path(version));
      } catch (error) {
        this.#context.logger.debug({ version, error: messageOf(error) }, 'could not remove an old version');
      }
    }
  }
}
