/** A consumer group on a simulated Redis: claims are observed and taken as the real adapter does it. */
import type { ConsumerGroup, Delivery, PendingEntry, ReadOptions } from '../../bus/bus.js';
import { type Candidate, StandstillMemory, takeOrder } from '../../bus/claims.js';
import { boundedBlockMs } from '../../bus/policy.js';
import type { Clock } from '../../clock.js';

import { type BusConnection, CALL_TIMEOUT_MS } from './connection.js';
import { recordOf } from './recordOf.js';
import { idOf, type StoredRecord } from './serverData.js';

/** A claim can grow old without anyone touching the server, so a blocked consumer looks again this often. */
const LOOK_AGAIN_MS = 100;
/** Where it takes long to grow old, looking so often meanwhile is enough. */
const LOOKS_PER_AGE = 8;
const NEW = 'new';

interface Observed {
  readonly last: number;
  readonly candidates: readonly Candidate[];
  readonly positions: ReadonlyMap<string, number>;
}

export class SimulatedGroup implements ConsumerGroup {
  readonly #connection: BusConnection;
  readonly #clock: Clock;
  readonly #stream: string;
  readonly #name: string;
  readonly #standstill = new StandstillMemory();
  readonly #held = new Map<number, { readonly consumer: string; readonly attempt: number }>();

  constructor(connection: BusConnection, clock: Clock, stream: string, name: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#stream = stream;
    this.#name = name;
  }

  async next(
    consumer: string,
    options: { readonly minIdleMs: number } & Pick<ReadOptions, 'blockMs' | 'signal'>,
  ): Promise<Delivery | undefined> {
    const untilMs = this.#clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      this.#connection.mustBeOpen();
      if (options.signal?.aborted) return undefined;
      const observed = await this.#observe();
      const delivery = await this.#take(observed, consumer, options.minIdleMs);
      const leftMs = untilMs - this.#clock.monotonicMs();
      if (delivery !== undefined || leftMs <= 0) return delivery;
      // Without a claim that could grow old there is nothing to look at but news.
      const mayGrowOld = observed.candidates.some(({ claim }) => claim?.heldHere !== true);
      const blockMs = Math.max(
        1,
        Math.round(mayGrowOld ? Math.min(leftMs, Math.max(LOOK_AGAIN_MS, options.minIdleMs / LOOKS_PER_AGE)) : leftMs),
      );
      await this.#connection.wait({ ask: 'news', stream: this.#stream, after: observed.last, blockMs }, blockMs, options.signal);
    }
  }

  async pending(): Promise<readonly PendingEntry[]> {
    const { candidates } = await this.#observe();
    return candidates.flatMap(({ id, claim }) =>
      claim === undefined ? [] : [{ id, consumer: claim.consumer, deliveries: claim.attempt, idleMs: claim.idleMs }],
    );
  }

  /** Gives back everything held through this handle. Never throws: what cannot be given back grows old. */
  async handBack(): Promise<void> {
    const held = [...this.#held];
    this.#held.clear();
    await Promise.all(held.map(([at, { consumer, attempt }]) => this.#release(at, consumer, attempt)));
  }

  async #observe(): Promise<Observed> {
    const reply = await this.#connection.ask({ ask: 'observe', stream: this.#stream, group: this.#name });
    if (reply.kind !== 'observed') return { last: 0, candidates: [], positions: new Map() };
    const nowMs = this.#clock.monotonicMs();
    const positions = new Map<string, number>();
    const candidates: Candidate[] = reply.claims.map(({ at, consumer, attempt, renewals, released }) => {
      const id = idOf(at);
      positions.set(id, at);
      const idleMs = this.#standstill.idleMs(id, `${attempt}/${renewals}`, nowMs);
      return { id, claim: { consumer, attempt, released, idleMs, heldHere: this.#held.get(at)?.attempt === attempt } };
    });
    if (reply.undelivered) candidates.push({ id: NEW, claim: undefined });
    return { last: reply.last, candidates, positions };
  }

  async #take(observed: Observed, consumer: string, minIdleMs: number): Promise<Delivery | undefined> {
    for (const { id, claim } of takeOrder(observed.candidates, consumer, minIdleMs)) {
      const at = observed.positions.get(id);
      const delivery = await this.#takeOne(consumer, claim === undefined ? undefined : at, claim?.attempt ?? 0);
      if (delivery !== undefined) return delivery;
    }
    return undefined;
  }

  async #takeOne(consumer: string, at: number | undefined, attempt: number): Promise<Delivery | undefined> {
    const stream = this.#stream;
    const group = this.#name;
    for (;;) {
      // A claim that lands after we have stopped waiting for it would be ours without our knowing.
      const deadlineMs = this.#connection.trueTime(this.#clock.monotonicMs() + CALL_TIMEOUT_MS);
      const reply = await this.#connection.ask({ ask: 'take', stream, group, consumer, at, attempt, deadlineMs });
      if (reply.kind !== 'taken') return undefined;
      const delivery = this.#delivery(reply.record, consumer, reply.attempt);
      if (delivery !== undefined) return delivery;
      // Records that cannot be understood are passed over: they must never stand in the way of the next.
      await this.#connection.ask({ ask: 'ack', stream, group, at: reply.record.at });
      if (at !== undefined) return undefined;
    }
  }

  #delivery(stored: StoredRecord, consumer: string, attempt: number): Delivery | undefined {
    const record = recordOf(this.#stream, stored, this.#clock.monotonicMs());
    if (record === undefined) return undefined;
    const { at } = stored;
    const stream = this.#stream;
    const group = this.#name;
    this.#held.set(at, { consumer, attempt });
    const letGo = () => {
      if (this.#held.get(at)?.attempt === attempt) this.#held.delete(at);
    };
    const isYes = async (ask: Parameters<BusConnection['ask']>[0]) => {
      const reply = await this.#connection.ask(ask);
      return reply.kind === 'held' && reply.yes;
    };
    return {
      record,
      deliveries: attempt,
      renew: () => isYes({ ask: 'renew', stream, group, at, consumer, attempt }),
      ack: async () => {
        const first = await isYes({ ask: 'ack', stream, group, at });
        letGo();
        this.#standstill.forget(record.id);
        return first;
      },
      release: async () => {
        letGo();
        await this.#release(at, consumer, attempt);
      },
    };
  }

  async #release(at: number, consumer: string, attempt: number): Promise<void> {
    try {
      await this.#connection.askWhileClosing({ ask: 'release', stream: this.#stream, group: this.#name, at, consumer, attempt });
    } catch {
      // A claim that cannot be handed back must grow old.
    }
  }
}
