/** Consumer groups over plain files: a claim and an acknowledgement are names that only one can create. */
import { messageOf } from '../../errors.js';
import { type BusRecord, BusUnavailableError, type ConsumerGroup, type Delivery, type PendingEntry, type ReadOptions } from '../bus.js';
import { type Candidate, type ObservedClaim, StandstillMemory, takeOrder } from '../claims.js';
import { boundedBlockMs, DEFAULT_READ_LIMIT } from '../policy.js';
import { acknowledge, type ClaimFiles, createClaim, isAcked, releaseClaim, renewClaim } from './claimFiles.js';
import { ensureDirectory, type JournalContext } from './context.js';
import { DirectoryListing } from './directoryListing.js';
import { DirectoryWatch, waitForDirectories } from './directoryWatch.js';
import { encodeName } from './names.js';
import type { StreamReader } from './streamReader.js';

interface NewestClaim {
  readonly attempt: number;
  released: boolean;
}

export class JournalGroup implements ConsumerGroup {
  readonly #context: JournalContext;
  readonly #reader: () => StreamReader;
  readonly #files: ClaimFiles;
  readonly #parts: readonly string[];
  readonly #listing: DirectoryListing;
  readonly #watch: DirectoryWatch;
  readonly #standstill = new StandstillMemory();
  /** What has been read and is not acknowledged, in reading order. What is acknowledged is forgotten. */
  readonly #open = new Map<string, BusRecord>();
  #cursor = {};
  #claims: ReadonlyMap<string, NewestClaim> = new Map();
  readonly #consumers = new Map<string, { readonly attempt: number; readonly consumer: string }>();
  readonly #held = new Map<string, number>();
  #listAgain = false;

  constructor(context: JournalContext, stream: string, name: string, reader: () => StreamReader) {
    this.#context = context;
    this.#reader = reader;
    this.#parts = ['groups', encodeName(stream), encodeName(name)];
    const directory = [context.root, ...this.#parts].join('/');
    this.#files = { context, directory };
    this.#listing = new DirectoryListing(context.files, directory);
    this.#watch = new DirectoryWatch(context);
  }

  async next(
    consumer: string,
    options: { readonly minIdleMs: number } & Pick<ReadOptions, 'blockMs' | 'signal'>,
  ): Promise<Delivery | undefined> {
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      const reader = this.#reader();
      if (options.signal?.aborted) return undefined;
      this.#observe(reader);
      const delivery = this.#take(consumer, options.minIdleMs);
      const leftMs = untilMs - clock.monotonicMs();
      if (delivery !== undefined || leftMs <= 0) return delivery;
      const streamIsNew = reader.followChanges();
      const claimsAreNew = this.#watch.follow(this.#listing.path, this.#listing.place);
      if (streamIsNew || claimsAreNew) continue;
      await waitForDirectories(this.#context, leftMs, options.signal, [reader.watch, this.#watch]);
    }
  }

  async pending(): Promise<readonly PendingEntry[]> {
    this.#observe(this.#reader());
    return this.#candidates().flatMap(({ id, claim }) =>
      claim === undefined ? [] : [{ id, consumer: claim.consumer, deliveries: claim.attempt, idleMs: claim.idleMs }],
    );
  }

  close(): void {
    for (const [id, attempt] of this.#held) releaseClaim(this.#files, id, attempt);
    this.#held.clear();
    this.#watch.close();
  }

  #observe(reader: StreamReader): void {
    try {
      ensureDirectory(this.#context, ...this.#parts);
      for (;;) {
        const pass = reader.pass(this.#cursor, DEFAULT_READ_LIMIT);
        this.#cursor = pass.cursor;
        for (const { id } of pass.corrupt) this.#context.logger.warn({ id }, 'a record that cannot be understood is passed over');
        for (const { record } of pass.records) if (!isAcked(this.#files, record.id)) this.#open.set(record.id, record);
        if (!pass.more) break;
      }
      const names = this.#listing.list(this.#context.clock.monotonicMs(), this.#listAgain);
      this.#listAgain = false;
      if (names !== undefined) this.#takeNames(names);
    } catch (error) {
      if (error instanceof BusUnavailableError) throw error;
      throw new BusUnavailableError(messageOf(error), { cause: error });
    }
  }

  #takeNames(names: readonly string[]): void {
    const claims = new Map<string, NewestClaim>();
    const released: string[] = [];
    for (const name of names) {
      if (name.endsWith('.ack')) this.#forget(name.slice(0, -'.ack'.length));
      const match = /^(.+)\.(\d+)\.(claim|released)$/.exec(name);
      const id = match?.[1];
      if (match === null || id === undefined || !this.#open.has(id)) continue;
      const attempt = Number(match[2]);
      if (match[3] === 'released') released.push(`${id}.${attempt}`);
      else if (attempt > (claims.get(id)?.attempt ?? 0)) claims.set(id, { attempt, released: false });
    }
    const handedBack = new Set(released);
    for (const [id, claim] of claims) claim.released = handedBack.has(`${id}.${claim.attempt}`);
    this.#claims = claims;
  }

  #forget(id: string): void {
    this.#open.delete(id);
    this.#held.delete(id);
    this.#consumers.delete(id);
    this.#standstill.forget(id);
  }

  #candidates(): readonly Candidate[] {
    return [...this.#open.keys()].map((id) => ({ id, claim: this.#observedClaim(id) }));
  }

  #observedClaim(id: string): ObservedClaim | undefined {
    const claim = this.#claims.get(id);
    if (claim === undefined) return undefined;
    const { attempt, released } = claim;
    const path = `${this.#files.directory}/${id}.${attempt}.claim`;
    const stats = this.#context.files.stat(path);
    const counter = `${attempt}:${stats?.size}:${stats?.mtimeMs}`;
    const idleMs = this.#standstill.idleMs(id, counter, this.#context.clock.monotonicMs());
    return { consumer: this.#consumerOf(id, attempt, path), attempt, released, idleMs, heldHere: this.#held.get(id) === attempt };
  }

  #consumerOf(id: string, attempt: number, path: string): string {
    const known = this.#consumers.get(id);
    if (known?.attempt === attempt) return known.consumer;
    let content = '';
    try {
      content = this.#context.files.readAll(path).toString('utf8');
    } catch (error) {
      // Removed together with an acknowledgement that the next listing shows.
      this.#context.logger.debug({ path, error: messageOf(error) }, 'could not read a claim');
    }
    const newline = content.indexOf('\n');
    // Created and not yet signed.
    if (newline === -1) return '';
    const consumer = content.slice(0, newline);
    this.#consumers.set(id, { attempt, consumer });
    return consumer;
  }

  #take(consumer: string, minIdleMs: number): Delivery | undefined {
    for (const { id, claim } of takeOrder(this.#candidates(), consumer, minIdleMs)) {
      const record = this.#open.get(id);
      if (record === undefined) continue;
      const attempt = (claim?.attempt ?? 0) + 1;
      const created = createClaim(this.#files, id, attempt, consumer);
      // Others have moved on since the last listing.
      if (created !== 'won') this.#listAgain = true;
      if (created === 'acked') this.#forget(id);
      if (created !== 'won') continue;
      this.#claims = new Map(this.#claims).set(id, { attempt, released: false });
      this.#held.set(id, attempt);
      return this.#delivery(record, attempt);
    }
    return undefined;
  }

  #delivery(record: BusRecord, attempt: number): Delivery {
    const { id } = record;
    const letGo = () => {
      if (this.#held.get(id) === attempt) this.#held.delete(id);
    };
    return {
      record: { ...record, receivedMs: this.#context.clock.monotonicMs() },
      deliveries: attempt,
      renew: async () => renewClaim(this.#files, id, attempt),
      ack: async () => {
        const first = await acknowledge(this.#files, id, attempt);
        this.#forget(id);
        return first;
      },
      release: async () => {
        letGo();
        releaseClaim(this.#files, id, attempt);
      },
    };
  }
}
