/** Tells when the directory of a file may have changed. A hint and no more: watches go deaf and miss, so a poll is the bound. */
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';

/** Replaced by tests that take away watches. */
export interface HintParts {
  readonly watch: (
    directory: string,
    options: { readonly persistent: false },
    changed: (event: string, name: string | null) => void,
  ) => FSWatcher;
}

export const intactHintParts: HintParts = { watch };

export class DirectoryHint {
  readonly #directory: string;
  readonly #file: string;
  readonly #changed: () => void;
  readonly #logger: Logger;
  readonly #parts: HintParts;
  #watcher: FSWatcher | undefined;
  #place: string | undefined;
  #closed = false;
  #complained = false;

  constructor(path: string, changed: () => void, logger: Logger, parts: HintParts) {
    this.#directory = dirname(path);
    this.#file = basename(path);
    this.#changed = changed;
    this.#logger = logger;
    this.#parts = parts;
  }

  /** To be called before each read: what is there by now is watched from here on. */
  async follow(): Promise<void> {
    const place = await this.#placeNow();
    if (this.#closed || (this.#watcher !== undefined && place === this.#place)) return;
    this.#unwatch();
    if (place === undefined) return;
    try {
      const watcher = this.#parts.watch(this.#directory, { persistent: false }, (_event, name) => this.#notice(name));
      watcher.on('error', () => this.#unwatch());
      this.#watcher = watcher;
      this.#place = place;
    } catch (error) {
      this.#complain(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
  }

  /**
   * Tells one directory from another that took its name, or to which a link leads now. Inode numbers are used again. Undefined where
   * there is none: the read that follows says what is wrong.
   */
  #placeNow(): Promise<string | undefined> {
    return stat(this.#directory, { bigint: true }).then(
      ({ dev, ino, birthtimeNs }) => `${dev}:${ino}:${birthtimeNs}`,
      () => undefined,
    );
  }

  #notice(name: string | null): void {
    // A directory that is deleted or moved away says so by its own name, and is silent from then on.
    const itself = name === basename(this.#directory);
    if (itself) this.#unwatch();
    // A volume of Kubernetes swaps the link `..data`, and with it all files behind it. Some systems give no names.
    if (itself || name === null || name === this.#file || name === '..data') this.#changed();
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #complain(error: unknown): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#logger.warn({ directory: this.#directory, problem: messageOf(error) }, 'no watch is to be had: the kill switch is polled alone');
  }
}
