/** Lists a directory only when it may have changed since the last listing. */
import { BusUnavailableError } from '../bus.js';
import type { JournalFiles } from './files.js';

// Directory times are as coarse as the system's tick, so a change right after a listing can leave the time as it was.
const COARSE_TIME_MS = 200;
// A bound for file systems whose times are coarser than that.
const LIST_ANYWAY_MS = 2_000;

export class DirectoryListing {
  readonly path: string;
  readonly #files: JournalFiles;
  /** Tells this directory from another that took its name. */
  place = '';
  #changedMs = -1;
  #listedMs = Number.NEGATIVE_INFINITY;
  #listUntilMs = Number.NEGATIVE_INFINITY;

  constructor(files: JournalFiles, path: string) {
    this.#files = files;
    this.path = path;
  }

  /** The names, or undefined where nothing can have changed. Throws {@link BusUnavailableError} where the directory is gone. */
  list(nowMs: number, force = false): readonly string[] | undefined {
    const stats = this.#files.stat(this.path);
    if (stats === undefined) throw new BusUnavailableError(`${this.path} is gone`);
    const place = `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
    if (place !== this.place || stats.mtimeMs !== this.#changedMs) this.#listUntilMs = nowMs + COARSE_TIME_MS;
    this.place = place;
    this.#changedMs = stats.mtimeMs;
    if (!force && nowMs > this.#listUntilMs && nowMs - this.#listedMs < LIST_ANYWAY_MS) return undefined;
    this.#listedMs = nowMs;
    return this.#files.list(this.path);
  }
}
