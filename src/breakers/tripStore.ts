/** Keeps the trips of one strategy on the bus: a restart finds them again, other processes hear of them, and only a reset that is committed there ends them. */
import { type Bus, BusDoubtError, type LatchValue } from '../bus/bus.js';
import { type Clock, recordedWallMs } from '../clock.js';
import { callWithin, settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { breakerLatch, decodeBreaker, encodeBreaker, type StoredBreaker, type StoredReset } from '../messages/breaker.js';
import type { Fields } from '../messages/fields.js';
import { quietSleep } from '../tradingState/tail.js';
import { BREAKER_TYPES } from './config.js';
import { REASON_CODES } from './result.js';
import type { Trip } from './state.js';
import { bellOf } from './tripBell.js';
import { idsOf, type Merged, mergeTrips } from './tripMerge.js';
import { Wake } from './wake.js';

/** How long one look at the bus may take. */
export const STORE_CALL_MS = 1_000;
/** Between attempts where the bus did not answer. */
export const STORE_RETRY_MS = 250;
/** How long a reset is tried before its caller is told that nothing was reset. */
export const RESET_TIMEOUT_MS = 5_000;
/** Where no change is heard of, it is read so often in the time that a reading counts. */
const READS_PER_STALENESS = 4;
/** A reset is kept to be told by, not to be read whole. */
const KEPT_TEXT = 200;
/** Of the 64 KiB of a record of the bus. Beyond this the oldest resets are let go of: they must leave room for trips. */
const WITH_RESETS_BYTES = 48 * 1_024;
/** Once closed: so often is it tried to write what has tripped, one after the other. */
const LAST_LOOKS = 3;

export interface TripStoreOptions {
  readonly bus: Pick<Bus, 'latch'>;
  readonly strategyId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  /** What was read longer ago does not count. */
  readonly maxStalenessMs: number;
  /** What should stand on the bus. */
  readonly trips: () => readonly Trip[];
  /** Trips that stand there and were not known here. */
  readonly adopt: (trips: readonly Trip[]) => void;
  /** Another process has reset these. */
  readonly release: (ids: ReadonlySet<string>, reset: StoredReset) => void;
}

/** A reset on its way to the bus. */
interface Clearing {
  readonly reset: StoredReset;
  /** Called once it stands there, in the same step. */
  readonly done: () => void;
}

export type Cleared = { readonly ok: true } | { readonly ok: false; readonly detail: string };

interface Stored {
  readonly trips: readonly Trip[];
  readonly resets: readonly StoredReset[];
}

/** A value of the bus as trips: what cannot be understood is a trip of its own, so that a reset can name it. */
function storedIn(value: LatchValue, wallMs: number): Stored {
  if (value.version === 0) return { trips: [], resets: [] };
  const decoded = decodeBreaker(value.fields);
  if (!decoded.ok) {
    const message = `version ${value.version} of the stored trips cannot be understood: ${decoded.problem}`;
    const id = `unreadable/${value.version}`;
    return { trips: [{ id, type: 'unknown_state', reasonCode: 'state_unknown', message, details: {}, sinceWallMs: wallMs }], resets: [] };
  }
  const trips = decoded.value.trips.map((trip) => ({
    ...trip,
    // A newer version may know more: what it tripped for stands, under a name that is known here.
    type: BREAKER_TYPES.find((type) => type === trip.type) ?? ('unknown_state' as const),
    reasonCode: REASON_CODES.find((code) => code === trip.reasonCode) ?? ('state_unknown' as const),
    details: Object.fromEntries(
      Object.entries(trip.details).map(([name, detail]) => [
        name,
        typeof detail === 'number' || typeof detail === 'boolean' ? detail : String(detail),
      ]),
    ),
  }));
  return { trips, resets: decoded.value.resets };
}

const bytesOf = (fields: Fields): number => Buffer.byteLength(JSON.stringify(fields));

/** Without the oldest resets where there are too many. The newest stays: it may be the one that is written. */
function fieldsOf(stored: StoredBreaker): Fields {
  let fields = encodeBreaker(stored);
  for (let from = 1; from < stored.resets.length && bytesOf(fields) > WITH_RESETS_BYTES; from += 1)
    fields = encodeBreaker({ ...stored, resets: stored.resets.slice(from) });
  return fields;
}

export class TripStore {
  readonly #options: TripStoreOptions;
  readonly #closing = new AbortController();
  /** Trips that stood here at the last look: one that has gone since has ended here, by a probe. */
  #held: ReadonlySet<string> = new Set();
  /** Resets that were asked for here. */
  readonly #own = new Set<string>();
  /** Those of them that somebody still waits for. */
  readonly #open = new Set<Clearing>();
  #contactMs = -Infinity;
  #doubt: string | undefined = 'have not been read yet';
  #isDirty = false;
  #isWriting = false;
  #isIdle: Promise<void> = Promise.resolve();
  /** One look at the bus at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #following: Promise<void> = Promise.resolve();

  constructor(options: TripStoreOptions) {
    this.#options = options;
  }

  /** Reads what stands there, and follows it until the store is closed. Resolves after the first reading. Never rejects. */
  start(): Promise<void> {
    const ready = this.changed();
    this.#following = ready.then(() => this.#follow());
    return ready;
  }

  /** Why nobody knows what stands on the bus now; undefined: it is known. */
  doubt(nowMs: number): string | undefined {
    if (this.#doubt !== undefined) return this.#doubt;
    const { maxStalenessMs } = this.#options;
    const ageMs = nowMs - this.#contactMs;
    // Written so that a time that is no number is doubt.
    return ageMs <= maxStalenessMs ? undefined : `were last read ${Math.round(ageMs)} ms ago, at most ${maxStalenessMs} count`;
  }

  /** Writes what should stand there until it does. Resolves when it does, or when the store is closed. Never rejects. */
  changed(): Promise<void> {
    this.#isDirty = true;
    if (!this.#isWriting) this.#isIdle = this.#write();
    return this.#isIdle;
  }

  /** Takes trips off the bus; `done` is called as they go. Not `ok`: they may stand there still, and stay in force here. Never rejects. */
  async clear(reset: Omit<StoredReset, 'id'>, timeoutMs: number, done: () => void): Promise<Cleared> {
    const { clock, newId } = this.#options;
    const [by, reason] = [reset.by.slice(0, KEPT_TEXT), reset.reason.slice(0, KEPT_TEXT)];
    const clearing: Clearing = { reset: { ...reset, id: newId(), by, reason }, done };
    this.#own.add(clearing.reset.id);
    this.#open.add(clearing);
    const untilMs = clock.monotonicMs() + timeoutMs;
    let detail = 'no attempt was made';
    while (!this.#closing.signal.aborted && clock.monotonicMs() < untilMs) {
      const problem = await this.#look(clearing);
      if (!this.#open.has(clearing)) return { ok: true };
      detail = problem ?? 'it is not seen there';
      await clock.sleep(Math.max(0, Math.min(STORE_RETRY_MS, untilMs - clock.monotonicMs())), this.#closing.signal);
    }
    // Another look may have found it there while this one waited.
    if (!this.#open.delete(clearing)) return { ok: true };
    return { ok: false, detail: `not committed within ${timeoutMs} ms: ${detail}` };
  }

  /** Ends the attempts; waits for the one under way, and for the last of what has tripped and does not stand there yet. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#isIdle;
    await this.#following;
  }

  async #write(): Promise<void> {
    const { clock, logger, strategyId } = this.#options;
    this.#isWriting = true;
    let left = LAST_LOOKS;
    while (this.#isDirty && left > 0) {
      // Who closes right after a trip must find it again.
      if (this.#closing.signal.aborted) left -= 1;
      this.#isDirty = false;
      const problem = await this.#look(undefined);
      if (problem === undefined) continue;
      this.#isDirty = true;
      logger.warn({ strategyId, problem }, 'what has tripped here and on the bus is not the same yet');
      await clock.sleep(STORE_RETRY_MS, this.#closing.signal);
    }
    this.#isWriting = false;
  }

  async #follow(): Promise<void> {
    const { bus, strategyId, clock, maxStalenessMs } = this.#options;
    const { signal } = this.#closing;
    const pollMs = maxStalenessMs / READS_PER_STALENESS;
    const bell = new Wake();
    const stop = bellOf(bus, clock).follow(strategyId, () => bell.ring());
    /** After a loss the next answer is news, whatever its version; another server gives the same number to something else. */
    let known = { version: -1, text: '' };
    while (!signal.aborted) {
      try {
        const result = await settleWithin(clock, bus.latch(breakerLatch(strategyId)).get(), pollMs + STORE_CALL_MS);
        if (signal.aborted) break;
        if (!result.settled) throw new Error('the bus did not answer in time');
        const { value } = result;
        this.#heard(value);
        const text = JSON.stringify(value.fields);
        const isNews = value.version !== known.version || text !== known.text;
        known = { version: value.version, text };
        if (isNews) void this.changed();
        await bell.heardWithin(clock, pollMs, signal);
      } catch (error) {
        known = { version: -1, text: '' };
        this.#lost(error);
        if (!signal.aborted) await quietSleep(clock, STORE_RETRY_MS, signal);
      }
    }
    stop();
  }

  // What is decided on a value counts from the moment it was asked for.
  #heard({ sentMs }: LatchValue): void {
    this.#contactMs = Math.max(this.#contactMs, Math.min(sentMs, this.#options.clock.monotonicMs()));
  }

  /** Without contact the last reading counts until it is too old; where the newest value cannot be understood, nothing does. */
  #lost(error: unknown): void {
    if (!(error instanceof BusDoubtError)) return;
    this.#doubt = `are in doubt: ${error.message}`;
  }

  /** Reads, merges and writes once. Answers what kept it from being done. */
  #look(clearing: Clearing | undefined): Promise<string | undefined> {
    const looked = this.#turn.then(async () => {
      try {
        const result = await callWithin(this.#options.clock, (signal) => this.#once(clearing, signal), STORE_CALL_MS);
        return result.settled ? result.value : 'the bus did not answer in time';
      } catch (error) {
        this.#lost(error);
        return messageOf(error);
      }
    });
    this.#turn = looked;
    return looked;
  }

  async #once(clearing: Clearing | undefined, signal: AbortSignal): Promise<string | undefined> {
    const { bus, strategyId, clock, adopt, release } = this.#options;
    const latch = bus.latch(breakerLatch(strategyId));
    const value = await latch.get();
    // Another look has begun meanwhile, which this one must not overtake with something older.
    if (signal.aborted) return 'the bus answered too late';
    const wallMs = recordedWallMs(clock);
    const stored = storedIn(value, wallMs);
    // An attempt whose answer was lost.
    for (const open of this.#open) if (stored.resets.some(({ id }) => id === open.reset.id)) this.#finish(open);
    const merged = this.#merged(stored, clearing);
    if (merged.adopted.length > 0) adopt(merged.adopted);
    for (const { ids, reset } of merged.released) release(ids, reset);
    this.#heard(value);
    this.#doubt = undefined;
    if (merged.isNews) {
      const latest = merged.resets.at(-1);
      const set = await latch.compareAndSet(
        value.version,
        fieldsOf({
          strategyId,
          trips: merged.trips,
          resets: merged.resets,
          changedBy: clearing?.reset.by ?? strategyId,
          reason: clearing?.reset.reason ?? merged.trips.at(-1)?.message ?? latest?.reason ?? 'nothing has tripped',
          changedWallMs: wallMs,
        }),
      );
      if (set.outcome === 'conflict') return 'another process changed it';
      // One whose answer was lost may stand there.
      bellOf(bus, clock).ring(strategyId);
      if (set.outcome !== 'committed') return set.detail;
    }
    this.#held = idsOf(merged.trips);
    if (clearing !== undefined) this.#finish(clearing);
    return undefined;
  }

  #finish(clearing: Clearing): void {
    if (this.#open.delete(clearing)) clearing.done();
    // It came after whoever asked for it was told that it had not: what is in force here stands there again.
    else void this.changed();
  }

  #merged({ trips: stored, resets }: Stored, clearing: Clearing | undefined): Merged {
    const { trips, strategyId, newId } = this.#options;
    const local = trips();
    const here = idsOf(local);
    const probed = stored.map(({ id }) => id).filter((id) => this.#held.has(id) && !here.has(id));
    const ending: StoredReset[] = [];
    if (probed.length > 0) ending.push({ id: newId(), ids: probed, by: strategyId, reason: 'a probe succeeded', how: 'probe' });
    // It may stand there already: an attempt whose answer was lost.
    if (clearing !== undefined && clearing.reset.ids.length > 0 && !resets.some(({ id }) => id === clearing.reset.id))
      ending.push(clearing.reset);
    return mergeTrips({ stored, resets, local, own: this.#own, ending });
  }
}
