/** Lists a directory only when it may have changed since the last listing. */
import { readdirSync, statSync } from 'node:fs';
import { BusUnavailableError } from '../bus.js';

// Directory times are as coarse as the system's tick, so a change right after a listing can leave the time as it was.
const COARSE_TIME_MS = 200;
// A bound for file systems whose times are coarser than that.
const LIST_ANYWAY_MS = 2_000;

export class DirectoryListing {
  readonly path: string;
  /** Tells this directory from another that took its name. */
  place = '';
  #changedMs = -1;
  #listedMs = Number.NEGATIVE_INFINITY;
  #listUntilMs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.path = path;
  }

  /** The names, or undefined where nothing can have changed. Throws {@link BusUnavailableError} where the directory is gone. */
  list(nowMs: number, force = false): readonly string[] | undefined {
    const stats = statSync(this.path, { throwIfNoEntry: false });
    if (stats === undefined) throw new BusUnavailableError(`${this.path} is gone`);
    const place = `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
    if (place !== this.place || stats.mtimeMs !== this.#changedMs) this.#listUntilMs = nowMs + COARSE_TIME_MS;
    this.place = place;
    this.#changedMs = stats.mtimeMs;
    if (!force && nowMs > this.#listUntilMs && nowMs - this.#listedMs < LIST_ANYWAY_MS) return undefined;
    this.#listedMs = nowMs;
    return readdirSync(this.path);
  }
}
