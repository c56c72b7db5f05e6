/** The flushes of one file: whoever writes while one is under way shares the next with all others who do. */
import type { FlushFile } from './files.js';

export class GroupFlush {
  readonly #flushFile: FlushFile;
  readonly #fd: number;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(flushFile: FlushFile, fd: number) {
    this.#flushFile = flushFile;
    this.#fd = fd;
  }

  /** Settles as a flush does that began after this call: one that is under way may have missed what was written last. */
  request(): Promise<void> {
    if (this.#current === undefined) return this.#begin();
    this.#next ??= this.#current.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    const flush = new Promise<void>((resolve, reject) => {
      this.#flushFile(this.#fd, (error) => {
        this.#current = undefined;
        if (error === null) resolve();
        else reject(error);
      });
    });
    this.#current = flush;
    return flush;
  }
}
