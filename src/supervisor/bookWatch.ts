/** The book as the supervisor knows it: read over and over, so that at a death what is open is known already. */
import type { Broker } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Book } from './onDeath.js';

export interface BookWatchOptions {
  /** Absent: the book is never known. */
  readonly broker: Broker | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two readings. */
  readonly everyMs: number;
  /** How long a reading at a death may take before the book counts as unknown. */
  readonly answerMs: number;
}

export class BookWatch {
  readonly #options: BookWatchOptions;
  #last: Book = 'unknown';

  constructor(options: BookWatchOptions) {
    this.#options = options;
  }

  /** Reads until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, everyMs, broker } = this.#options;
    if (broker === undefined) return;
    while (!signal.aborted) {
      await this.#read();
      await clock.sleep(everyMs, signal);
    }
  }

  /** At a death: what was open a moment ago is open; that nothing is has to be read anew. */
  async now(): Promise<Book> {
    if (this.#last !== 'flat') return this.#last;
    const { clock, answerMs } = this.#options;
    const read = await settleWithin(clock, this.#read(), answerMs);
    return read.settled ? read.value : 'unknown';
  }

  async #read(): Promise<Book> {
    const { broker, logger } = this.#options;
    if (broker === undefined) return 'unknown';
    try {
      const [positions, orders] = await Promise.all([broker.positions(), broker.openOrders()]);
      this.#last = positions.length === 0 && orders.length === 0 ? 'flat' : 'open';
    } catch (error) {
      if (this.#last !== 'unknown') logger.warn({ problem: messageOf(error) }, 'the book cannot be read: it counts as unknown');
      this.#last = 'unknown';
    }
    return this.#last;
  }
}
