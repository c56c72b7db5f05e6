/** A live view of the trading state. */
import { type Bus, BusDoubtError } from '../bus/bus.js';
import { type Clock, systemClock } from '../clock.js';
import { messageOf } from '../errors.js';
import { isolatedLogger, type Logger, tellAll } from '../logger.js';
import { TRADING_STATE } from '../messages/tradingState.js';
import { STATE_RETRY_MS } from './options.js';
import { type StateReading, stateOf } from './read.js';
import { quietSleep } from './tail.js';

export interface TradingStateWatchOptions {
  readonly bus: Pick<Bus, 'latch'>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** The longest wait of one read, and so the longest time without proof of contact on a healthy bus. Default 500 ms. */
  readonly blockMs?: number;
  readonly retryMs?: number;
}

export interface TradingStateWatch {
  /** The newest reading, or undefined before the first and while the state cannot be understood: both mean HALTED. */
  current(): StateReading | undefined;
  /** Why there is no current reading, or why it may be old. */
  doubt(): string | undefined;
  /** Time since contact with the bus was last proved; Infinity before the first. */
  contactAgeMs(): number;
  /** Called with each new version, each loss and each return. Returns how to stop. */
  onChange(listener: (reading: StateReading | undefined) => void): () => void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_BLOCK_MS = 500;

class LiveWatch implements TradingStateWatch {
  readonly #options: TradingStateWatchOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(reading: StateReading | undefined) => void>();
  readonly #running: Promise<void>;
  #reading: StateReading | undefined;
  #doubt: string | undefined = 'not read yet';
  #contactMs = -Infinity;

  constructor(options: TradingStateWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = isolatedLogger(options.logger);
    this.#running = this.#run();
  }

  current(): StateReading | undefined {
    return this.#reading;
  }

  doubt(): string | undefined {
    return this.#doubt;
  }

  contactAgeMs(): number {
    return this.#clock.monotonicMs() - this.#contactMs;
  }

  onChange(listener: (reading: StateReading | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let knownVersion = -1;
    /** What stands under that version: another server gives the same number to something else. */
    let knownText = '';
    while (!signal.aborted) {
      const startedMs = this.#clock.monotonicMs();
      try {
        const value = await this.#options.bus
          .latch(TRADING_STATE)
          .watch(knownVersion, { blockMs: this.#options.blockMs ?? DEFAULT_BLOCK_MS, signal });
        if (signal.aborted) return;
        this.#contactMs = this.#clock.monotonicMs();
        const text = JSON.stringify(value.fields);
        const changed = value.version !== knownVersion || text !== knownText || this.#doubt !== undefined;
        knownVersion = value.version;
        knownText = text;
        if (changed) this.#take(stateOf(value));
        else if (this.#contactMs === startedMs) await quietSleep(this.#clock, 1, signal);
      } catch (error) {
        if (signal.aborted) return;
        // After a loss the next answer is news, whatever its version.
        knownVersion = -1;
        this.#lose(error);
        await quietSleep(this.#clock, this.#options.retryMs ?? STATE_RETRY_MS, signal);
      }
    }
  }

  #take(reading: StateReading): void {
    this.#doubt = undefined;
    this.#reading = reading;
    this.#tell();
  }

  /** Without contact the last reading stands, with its age; a state that cannot be understood takes its place. */
  #lose(error: unknown): void {
    const detail = messageOf(error);
    const first = this.#doubt !== detail;
    this.#doubt = detail;
    if (error instanceof BusDoubtError) this.#reading = undefined;
    if (!first) return;
    this.#logger.warn({ detail }, 'the trading state cannot be read');
    this.#tell();
  }

  #tell(): void {
    tellAll(this.#listeners, this.#reading);
  }
}

export function createTradingStateWatch(options: TradingStateWatchOptions): TradingStateWatch {
  return new LiveWatch(options);
}
