/** A watchdog as it is asked for. What it watches with is loaded when it begins: the root import stays light. */
import { type CheckedWatchdogOptions, checkWatchdogOptions, type WatchdogOptions } from './options.js';
import type { Watchdog, WatchdogStatus } from './watchdogFace.js';

/** Throws a ConfigurationError for options out of bounds. Nothing happens before `run`. */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  return new WaitingWatchdog(checkWatchdogOptions(options));
}

class WaitingWatchdog implements Watchdog {
  readonly watchdogId: string;
  readonly #options: CheckedWatchdogOptions;
  #running: Watchdog | undefined;
  #loading: Promise<Watchdog> | undefined;
  #isClosed = false;

  constructor(options: CheckedWatchdogOptions) {
    this.watchdogId = options.watchdogId;
    this.#options = options;
  }

  async run(signal?: AbortSignal): Promise<void> {
    if (this.#isClosed) return;
    this.#loading ??= this.#load();
    const running = await this.#loading;
    await running.run(signal);
  }

  status(): WatchdogStatus {
    return this.#running?.status() ?? { watchdogId: this.watchdogId, doubt: 'starting', epoch: 0, services: [], openPanics: [] };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const running = await this.#loading;
    await running?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #load(): Promise<Watchdog> {
    const { assembleWatchdog } = await import('./runningWatchdog.js');
    this.#running = assembleWatchdog(this.#options);
    return this.#running;
  }
}
