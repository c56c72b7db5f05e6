/** Consumer groups on Redis: the server keeps who holds what; who may take what is decided as on every other bus. */
import { type ConsumerGroup, type Delivery, type PendingEntry, type ReadOptions } from '../bus.js';
import { type Candidate, StandstillMemory, takeOrder } from '../claims.js';
import { boundedBlockMs } from '../policy.js';
import { ask, askScript, CALL_TIMEOUT_MS, keysOf, mustBeOpen, onServersClock, type RedisContext } from './context.js';
import type { Readers } from './readers.js';
import { collect } from './readStream.js';
import { ACKNOWLEDGE, OBSERVE_GROUP, RELEASE, RENEW, type Script, TAKE_NEW, TAKE_OVER } from './scripts.js';
import { entriesOf, listOf } from './wire.js';

/** A claim can grow old or be handed back without anything new in the stream, so a waiting consumer looks again this often. */
const LOOK_AGAIN_MS = 100;

interface Observed {
  readonly lastId: string;
  readonly candidates: readonly Candidate[];
}

/** Stands for the records that nobody has had yet. */
const NEW = '>';

export class RedisGroup implements ConsumerGroup {
  readonly #context: RedisContext;
  readonly #readers: Readers;
  readonly #stream: string;
  readonly #name: string;
  readonly #keys: readonly [stream: string, claims: string];
  readonly #standstill = new StandstillMemory();
  /** Deliveries that this handle gave out, by record id. */
  readonly #held = new Map<string, { readonly consumer: string; readonly deliveries: number }>();

  constructor(context: RedisContext, readers: Readers, stream: string, name: string) {
    this.#context = context;
    this.#readers = readers;
    this.#stream = stream;
    this.#name = name;
    const keys = keysOf(context.prefix);
    this.#keys = [keys.stream(stream), keys.claims(stream, name)];
  }

  async next(
    consumer: string,
    options: { readonly minIdleMs: number } & Pick<ReadOptions, 'blockMs' | 'signal'>,
  ): Promise<Delivery | undefined> {
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      mustBeOpen(this.#context);
      if (options.signal?.aborted) return undefined;
      const observed = await this.#observe();
      const delivery = await this.#take(observed, consumer, options.minIdleMs);
      const leftMs = untilMs - clock.monotonicMs();
      if (delivery !== undefined || leftMs <= 0) return delivery;
      await this.#untilNews(observed.lastId, Math.max(1, Math.round(Math.min(leftMs, LOOK_AGAIN_MS))), options.signal);
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
    await Promise.all(held.map(([id, { consumer, deliveries }]) => this.#release(id, consumer, deliveries)));
  }

  async #untilNews(lastId: string, blockMs: number, signal: AbortSignal | undefined): Promise<void> {
    const wait = ['XREAD', ['COUNT', 1, 'BLOCK', blockMs, 'STREAMS', this.#keys[0], lastId]] as const;
    await ask(this.#context, () => this.#readers.waiting(async () => wait, blockMs, signal));
  }

  async #observe(): Promise<Observed> {
    const reply = await askScript(this.#context, OBSERVE_GROUP, this.#keys, [this.#name]);
    const [lastId, deliveredId, claims] = listOf(reply);
    const candidates: Candidate[] = listOf(claims).map((claim) => this.#candidate(claim));
    if (String(lastId) !== String(deliveredId)) candidates.push({ id: NEW, claim: undefined });
    return { lastId: String(lastId), candidates };
  }

  #candidate(claim: unknown): Candidate {
    const [id = '', consumer = '', deliveries = '', renewals = '', released = ''] = listOf(claim).map(String);
    const attempt = Number(deliveries);
    const idleMs = this.#standstill.idleMs(id, `${attempt}/${renewals}`, this.#context.clock.monotonicMs());
    const heldHere = this.#held.get(id)?.deliveries === attempt;
    return { id, claim: { consumer, attempt, released: released !== '', idleMs, heldHere } };
  }

  async #take(observed: Observed, consumer: string, minIdleMs: number): Promise<Delivery | undefined> {
    for (const { id, claim } of takeOrder(observed.candidates, consumer, minIdleMs)) {
      const delivery = claim === undefined ? await this.#takeNew(consumer) : await this.#takeOver(id, claim.attempt, consumer);
      if (delivery !== undefined) return delivery;
    }
    return undefined;
  }

  /** Records that cannot be understood are passed over: they must never stand in the way of the next. */
  async #takeNew(consumer: string): Promise<Delivery | undefined> {
    for (;;) {
      const reply = await this.#ask(TAKE_NEW, [consumer]);
      const found = collect(this.#stream, entriesOf(reply), this.#context.clock.monotonicMs());
      if (found.lastId === undefined) return undefined;
      const [record] = found.records;
      if (record !== undefined) return this.#delivery(record, consumer, 1);
      this.#context.logger.warn({ stream: this.#stream, id: found.lastId }, 'a record that cannot be understood is passed over');
      await askScript(this.#context, ACKNOWLEDGE, this.#keys, [this.#name, found.lastId]);
    }
  }

  async #takeOver(id: string, deliveries: number, consumer: string): Promise<Delivery | undefined> {
    const reply = await this.#ask(TAKE_OVER, [consumer, id, deliveries]);
    const [record] = collect(this.#stream, entriesOf(reply), this.#context.clock.monotonicMs()).records;
    return record === undefined ? undefined : this.#delivery(record, consumer, deliveries + 1);
  }

  /** A claim that lands after we have stopped waiting for it would be ours without our knowing. */
  async #ask(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    const { clock, commands } = this.#context;
    const deadline = onServersClock(commands, clock.monotonicMs() + CALL_TIMEOUT_MS);
    return askScript(this.#context, script, this.#keys, [deadline ?? 0, this.#name, ...args]);
  }

  #delivery(record: Delivery['record'], consumer: string, deliveries: number): Delivery {
    const { id } = record;
    this.#held.set(id, { consumer, deliveries });
    const letGo = () => {
      if (this.#held.get(id)?.deliveries === deliveries) this.#held.delete(id);
    };
    return {
      record,
      deliveries,
      renew: async () => Number(await askScript(this.#context, RENEW, this.#keys, [this.#name, consumer, id, deliveries])) === 1,
      ack: async () => {
        const first = Number(await askScript(this.#context, ACKNOWLEDGE, this.#keys, [this.#name, id])) === 1;
        letGo();
        this.#standstill.forget(id);
        return first;
      },
      release: async () => {
        letGo();
        await this.#release(id, consumer, deliveries);
      },
    };
  }

  async #release(id: string, consumer: string, deliveries: number): Promise<void> {
    try {
      await askScript(this.#context, RELEASE, this.#keys, [this.#name, consumer, id, deliveries]);
    } catch (error) {
      this.#context.logger.debug({ id, error: String(error) }, 'a claim could not be handed back: it must grow old');
    }
  }
}
