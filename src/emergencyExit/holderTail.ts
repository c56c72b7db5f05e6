/** Follows what holders say of themselves. */
import { type Bus, type Cursor, FROM_START } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { decodeHolderReport, LEASE_HOLDER } from '../messages/holder.js';
import { HolderRoll } from './holders.js';

/** Whoever needs to know sooner that nothing is new asks by {@link HolderTail.refresh}, which ends the wait. */
const DEFAULT_BLOCK_MS = 500;

export class HolderTail {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #blockMs: number;
  readonly roll: HolderRoll;
  #currentMs = -Infinity;
  #wantedMs = -Infinity;
  #wait = new AbortController();

  constructor(bus: Bus, clock: Clock, logger: Logger, account: string, blockMs = DEFAULT_BLOCK_MS) {
    this.#bus = bus;
    this.#clock = clock;
    this.#logger = logger;
    this.#blockMs = blockMs;
    this.roll = new HolderRoll(account);
  }

  /** Everything that was written before this reading of the monotonic clock is in {@link roll}. */
  get currentMs(): number {
    return this.#currentMs;
  }

  /** Asks for a reading that begins from now on, without waiting for it. */
  refresh(): void {
    this.#wantedMs = this.#clock.monotonicMs();
    this.#wait.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    let cursor: Cursor = FROM_START;
    const end = () => this.#wait.abort();
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      try {
        this.#wait = new AbortController();
        const askedMs = this.#clock.monotonicMs();
        const blockMs = this.#currentMs < this.#wantedMs ? 0 : this.#blockMs;
        const page = await this.#bus.read(LEASE_HOLDER, cursor, { blockMs, signal: this.#wait.signal });
        cursor = page.cursor;
        for (const record of page.records) {
          const decoded = decodeHolderReport(record.fields);
          if (decoded.ok) this.roll.hear(decoded.value);
          else {
            this.roll.hearUnclear(record.fields, record.id);
            this.#logger.warn({ id: record.id, problem: decoded.problem }, 'a holder report cannot be understood');
          }
        }
        // A wait that was cut short has proved nothing.
        if (!page.more && !this.#wait.signal.aborted) this.#currentMs = askedMs;
      } catch (error) {
        this.#logger.warn({ error: messageOf(error) }, 'the list of holders cannot be read');
        await this.#clock.sleep(100, signal);
      }
    }
    signal.removeEventListener('abort', end);
  }
}
