/** What this worker knows of its own ability to close the book: read from the venue again and again, told in its beats. */
import type { Broker } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { callWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import type { WorkerCondition } from '../messages/peerBeat.js';
import type { ReadBook } from './book.js';

export interface ConditionOptions {
  readonly broker: Broker;
  readonly account: string;
  /** What the venue must call itself; absent: any environment, the account alone must match. */
  readonly environment: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readBook: ReadBook;
  readonly refreshMs: number;
  readonly readTimeoutMs: number;
}

export type IdentityCheck =
  | { readonly kind: 'matches' }
  | { readonly kind: 'differs'; readonly found: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** Whether the venue answers for the configured account. Never throws; no answer within `readTimeoutMs` is `unknown`. */
export async function checkIdentity(
  options: Pick<ConditionOptions, 'broker' | 'account' | 'environment' | 'clock' | 'readTimeoutMs'>,
): Promise<IdentityCheck> {
  const { broker, account, environment, clock, readTimeoutMs } = options;
  try {
    const answer = await callWithin(clock, (signal) => broker.identity(signal), readTimeoutMs);
    if (!answer.settled) return { kind: 'unknown', detail: `no answer within ${readTimeoutMs} ms` };
    const found = answer.value;
    const matches = found.account === account && (environment === undefined || found.environment === environment);
    return matches ? { kind: 'matches' } : { kind: 'differs', found: `${found.account} on ${found.environment}` };
  } catch (error) {
    return { kind: 'unknown', detail: messageOf(error) };
  }
}

/** Nobody may trade on a worker that cannot read its venue: it is asked again soon. */
const RETRY_MS = 250;

/** Keeps identity and book fresh until the signal aborts. */
export class ConditionWatch {
  readonly #options: ConditionOptions;
  #identityMatches = false;
  #bookReadMs: number | undefined;
  #positions: number | undefined;
  #wait = new AbortController();

  constructor(options: ConditionOptions) {
    this.#options = options;
  }

  condition(): WorkerCondition {
    const { account, clock } = this.#options;
    return {
      account,
      identityMatches: this.#identityMatches,
      ...(this.#bookReadMs === undefined ? {} : { bookAgeMs: clock.monotonicMs() - this.#bookReadMs }),
      ...(this.#positions === undefined ? {} : { positions: this.#positions }),
    };
  }

  /** Asks the venue again at once, without waiting for its answer. */
  refresh(): void {
    this.#wait.abort();
  }

  /** The right account's book was asked for after `sinceMs` (monotonic clock), and read. */
  hasReadSince(sinceMs: number): boolean {
    return this.#identityMatches && this.#bookReadMs !== undefined && this.#bookReadMs >= sinceMs;
  }

  /** Never throws for what the venue does. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, refreshMs } = this.#options;
    const end = () => this.#wait.abort();
    signal.addEventListener('abort', end, { once: true });
    while (!signal.aborted) {
      this.#wait = new AbortController();
      const complete = await this.#refresh();
      await clock.sleep(complete ? refreshMs : Math.min(refreshMs, RETRY_MS), this.#wait.signal);
    }
    signal.removeEventListener('abort', end);
  }

  async #refresh(): Promise<boolean> {
    const { broker, clock, logger, readBook, readTimeoutMs } = this.#options;
    const identity = await checkIdentity(this.#options);
    this.#identityMatches = identity.kind === 'matches';
    if (identity.kind !== 'matches') {
      logger.error({ identity }, 'the venue did not name the account that this worker is configured for');
      return false;
    }
    const reading = await readBook(broker, clock, readTimeoutMs);
    if (!reading.ok) {
      logger.warn({ problem: reading.problem }, 'positions and orders could not be read');
      return false;
    }
    this.#bookReadMs = reading.book.sentMs;
    this.#positions = reading.book.positions.length;
    return true;
  }
}
