/** Wakes whoever waits for a directory to change. A hint only: watches go deaf and miss, so every wait has a poll as its bound. */
import { messageOf } from '../../errors.js';
import { Wakeups, waitForChange } from '../waiting.js';
import type { JournalContext } from './context.js';

interface Watcher {
  close(): void;
}

export class DirectoryWatch {
  readonly changed = new Wakeups();
  readonly #context: JournalContext;
  #watcher: Watcher | undefined;
  #watched: string | undefined;

  constructor(context: JournalContext) {
    this.#context = context;
  }

  /**
   * Watches `path`; `place` tells one directory from another that took its name. True when the watch has begun just now: what
   * came before it must be looked for once more.
   */
  follow(path: string, place: string): boolean {
    if (this.#watcher !== undefined && this.#watched === place) return false;
    this.close();
    if (this.#context.closing.aborted) return false;
    try {
      const watcher: Watcher = this.#context.files.watch(
        path,
        () => this.#notice(watcher),
        () => this.#drop(watcher),
      );
      this.#watcher = watcher;
      this.#watched = place;
      return true;
    } catch (error) {
      this.#context.logger.debug({ path, error: messageOf(error) }, 'no directory watch is to be had; polling alone');
      return false;
    }
  }

  close(): void {
    if (this.#watcher !== undefined) this.#drop(this.#watcher);
  }

  // On a busy stream the process would wake for each record while nobody waits for it: the next wait begins a watch of its own.
  #notice(watcher: Watcher): void {
    if (this.changed.size > 0) this.changed.wakeAll();
    else this.#drop(watcher);
  }

  #drop(watcher: Watcher): void {
    watcher.close();
    if (this.#watcher === watcher) this.#watcher = undefined;
    this.#watched = undefined;
  }
}

/** Waits until one of the directories may have changed, or until the next poll is due, or `leftMs` is over. */
export function waitForDirectories(
  context: JournalContext,
  leftMs: number,
  signal: AbortSignal | undefined,
  watches: readonly DirectoryWatch[],
): Promise<void> {
  const sources = [...watches.map((one) => one.changed), context.closed];
  return waitForChange(context.clock, Math.min(leftMs, context.pollMs), signal, sources);
}
