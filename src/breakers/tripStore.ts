/** Keeps the trips of one strategy on the bus: a restart finds them again, and only a reset that is committed there ends them. */
import type { Bus, LatchValue } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { breakerLatch, decodeBreaker, encodeBreaker } from '../messages/breaker.js';
import { BREAKER_TYPES } from './config.js';
import { REASON_CODES } from './result.js';
import type { Trip } from './state.js';

/** How long one look at the bus may take. */
export const STORE_CALL_MS = 1_000;
/** Between attempts where the bus did not answer. */
export const STORE_RETRY_MS = 250;
/** How long a reset is tried before its caller is told that nothing was reset. */
export const RESET_TIMEOUT_MS = 5_000;

export interface TripStoreOptions {
  readonly bus: Pick<Bus, 'latch'>;
  readonly strategyId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What should stand on the bus. */
  readonly trips: () => readonly Trip[];
  /** Trips that stand there and were not known here. */
  readonly adopt: (trips: readonly Trip[]) => void;
}

export interface Clearing {
  readonly ids: ReadonlySet<string>;
  readonly by: string;
  readonly reason: string;
}

export type Cleared = { readonly ok: true } | { readonly ok: false; readonly detail: string };

/** A value of the bus as trips: what cannot be understood is a trip of its own, so that a reset can name it. */
function tripsIn(value: LatchValue, wallMs: number): readonly Trip[] {
  if (value.version === 0) return [];
  const decoded = decodeBreaker(value.fields);
  if (!decoded.ok) {
    const message = `version ${value.version} of the stored trips cannot be understood: ${decoded.problem}`;
    return [
      { id: `unreadable/${value.version}`, type: 'unknown_state', reasonCode: 'state_unknown', message, details: {}, sinceWallMs: wallMs },
    ];
  }
  return decoded.value.trips.map((trip) => ({
    ...trip,
    // A newer version may know more: what it tripped for stands, under a name that is known here.
    type: BREAKER_TYPES.find((type) => type === trip.type) ?? 'unknown_state',
    reasonCode: REASON_CODES.find((code) => code === trip.reasonCode) ?? 'state_unknown',
    details: Object.fromEntries(
      Object.entries(trip.details).map(([name, detail]) => [
        name,
        typeof detail === 'number' || typeof detail === 'boolean' ? detail : String(detail),
      ]),
    ),
  }));
}

const sameTrips = (left: readonly Trip[], right: readonly Trip[]): boolean =>
  left.length === right.length && left.every(({ id }, index) => id === right[index]?.id);

export class TripStore {
  readonly #options: TripStoreOptions;
  readonly #closing = new AbortController();
  /** Trips that this process has met: one that it has reset does not come back from the bus. */
  readonly #met = new Set<string>();
  #isLoaded = false;
  #isDirty = false;
  #isWriting = false;
  #isIdle: Promise<void> = Promise.resolve();
  /** One look at the bus at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TripStoreOptions) {
    this.#options = options;
  }

  /** False: nobody knows yet whether trips stand on the bus. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Writes what should stand there until it does. Resolves when it does, or when the store is closed. Never rejects. */
  changed(): Promise<void> {
    this.#isDirty = true;
    if (!this.#isWriting) this.#isIdle = this.#write();
    return this.#isIdle;
  }

  /** Takes trips off the bus. Not `ok`: they may stand there still, and stay in force here. Never rejects. */
  async clear(clearing: Clearing, timeoutMs: number): Promise<Cleared> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + timeoutMs;
    let detail = 'no attempt was made';
    while (!this.#closing.signal.aborted && clock.monotonicMs() < untilMs) {
      const problem = await this.#look(clearing);
      if (problem === undefined) return { ok: true };
      detail = problem;
      await clock.sleep(Math.max(0, Math.min(STORE_RETRY_MS, untilMs - clock.monotonicMs())), this.#closing.signal);
    }
    return { ok: false, detail: `not committed within ${timeoutMs} ms: ${detail}` };
  }

  /** Ends the attempts; waits for the one under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#isIdle;
  }

  async #write(): Promise<void> {
    const { clock, logger, strategyId } = this.#options;
    this.#isWriting = true;
    while (this.#isDirty && !this.#closing.signal.aborted) {
      this.#isDirty = false;
      const problem = await this.#look(undefined);
      if (problem === undefined) continue;
      this.#isDirty = true;
      logger.warn({ strategyId, problem }, 'the trips of a strategy are not on the bus yet');
      await clock.sleep(STORE_RETRY_MS, this.#closing.signal);
    }
    this.#isWriting = false;
  }

  /** Reads, merges and writes once. Answers what kept it from being done. */
  #look(clearing: Clearing | undefined): Promise<string | undefined> {
    const looked = this.#turn.then(async () => {
      try {
        const result = await settleWithin(this.#options.clock, this.#once(clearing), STORE_CALL_MS);
        return result.settled ? result.value : 'the bus did not answer in time';
      } catch (error) {
        return messageOf(error);
      }
    });
    this.#turn = looked;
    return looked;
  }

  async #once(clearing: Clearing | undefined): Promise<string | undefined> {
    const { bus, strategyId, clock, trips, adopt } = this.#options;
    const latch = bus.latch(breakerLatch(strategyId));
    const value = await latch.get();
    const stored = tripsIn(value, clock.wallMs());
    const foreign = stored.filter(({ id }) => !this.#met.has(id));
    for (const { id } of foreign) this.#met.add(id);
    if (foreign.length > 0) adopt(foreign);
    this.#isLoaded = true;
    const wanted = trips().filter(({ id }) => clearing?.ids.has(id) !== true);
    for (const { id } of wanted) this.#met.add(id);
    if (sameTrips(stored, wanted)) return undefined;
    const set = await latch.compareAndSet(
      value.version,
      encodeBreaker({
        strategyId,
        trips: wanted,
        changedBy: clearing?.by ?? strategyId,
        reason: clearing?.reason ?? wanted[0]?.message ?? 'a probe succeeded',
        changedWallMs: clock.wallMs(),
      }),
    );
    if (set.outcome === 'committed') return undefined;
    return set.outcome === 'conflict' ? 'another process changed it' : set.detail;
  }
}
