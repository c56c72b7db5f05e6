/** Which files a stream consists of, how far each reaches, and which can never grow again. */

import type { JournalContext } from './context.js';
import { DirectoryListing } from './directoryListing.js';
import { type FileName, parseFileName, writerHasEnded } from './names.js';

export interface StreamFile extends FileName {
  size: number;
  /** Since when its size has stood still in our eyes. */
  quietSinceMs: number;
  writerEnded: boolean;
  /** Never grows again and is known in full: looked at no more. */
  finished: boolean;
  /** Where a reader came to the end of what is whole, so that an unfinished record is not read over and over. */
  stuckAt: { readonly offset: number; readonly size: number; readonly sinceMs: number } | undefined;
}

// How long a file must be quiet before its writer's process is looked for, and how often again.
const QUIET_MS = 2_000;

function inReadingOrder(a: StreamFile, b: StreamFile): number {
  if (a.writer !== b.writer) return a.writer < b.writer ? -1 : 1;
  return a.segment - b.segment;
}

export class StreamFiles {
  readonly #context: Pick<JournalContext, 'files' | 'host'>;
  readonly #listing: DirectoryListing;
  readonly #files = new Map<string, StreamFile>();
  #ordered: readonly StreamFile[] = [];
  #growing: readonly StreamFile[] = [];
  /** Rises whenever a file becomes finished. */
  finishedCount = 0;

  constructor(context: Pick<JournalContext, 'files' | 'host'>, directory: string) {
    this.#context = context;
    this.#listing = new DirectoryListing(context.files, directory);
  }

  get place(): string {
    return this.#listing.place;
  }

  /** All files; those of one writer in the order in which it wrote them. */
  get all(): readonly StreamFile[] {
    return this.#ordered;
  }

  /** The files that may still grow: what a poll costs depends on these alone. */
  get growing(): readonly StreamFile[] {
    return this.#growing;
  }

  get(name: string): StreamFile | undefined {
    return this.#files.get(name);
  }

  /**
   * Takes sizes first and the listing after: a record seen within these sizes was written before the listing, and so was
   * whatever its writer had put under a name of its own before it.
   */
  refresh(nowMs: number, force = false): void {
    let changed = false;
    for (const file of this.#growing) changed = this.#look(file, nowMs) || changed;
    const names = this.#listing.list(nowMs, force);
    if (names !== undefined) changed = this.#take(names, nowMs) || changed;
    if (!changed) return;
    this.#ordered = [...this.#files.values()].sort(inReadingOrder);
    this.#growing = this.#ordered.filter((file) => !file.finished);
  }

  /** Takes the size of one file anew. */
  lookAgain(file: StreamFile, nowMs: number): void {
    this.#look(file, nowMs);
  }

  finish(file: StreamFile): void {
    if (file.finished) return;
    file.finished = true;
    this.finishedCount += 1;
    this.#growing = this.#growing.filter((one) => one !== file);
  }

  #take(names: readonly string[], nowMs: number): boolean {
    let changed = false;
    const present = new Set(names);
    for (const name of this.#files.keys()) {
      if (!present.has(name)) changed = this.#files.delete(name);
    }
    for (const name of names) {
      if (this.#files.has(name)) continue;
      const parsed = parseFileName(name);
      if (parsed === undefined) continue;
      const file: StreamFile = { ...parsed, size: 0, quietSinceMs: nowMs, writerEnded: false, finished: false, stuckAt: undefined };
      this.#files.set(name, file);
      this.#look(file, nowMs);
      // A record under an idempotency key was whole before it got its name.
      if (file.keyed && file.size > 0) {
        file.finished = true;
        this.finishedCount += 1;
      }
      changed = true;
    }
    return changed;
  }

  /** True when the file is gone. */
  #look(file: StreamFile, nowMs: number): boolean {
    // Looked up before the size: whatever an ended writer wrote is within the size that is read after.
    const mayHaveEnded = !file.writerEnded && nowMs - file.quietSinceMs >= QUIET_MS;
    const ended = mayHaveEnded && writerHasEnded(this.#context.host, file.writer);
    const size = this.#context.files.stat(`${this.#listing.path}/${file.name}`)?.size;
    if (size === undefined) {
      this.#files.delete(file.name);
      return true;
    }
    if (size !== file.size || mayHaveEnded) file.quietSinceMs = nowMs;
    file.size = size;
    if (ended) file.writerEnded = true;
    return false;
  }
}
