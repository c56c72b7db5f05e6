/** Consumer groups of the in-process bus. */
import { BusUnavailableError, type ConsumerGroup, type Delivery, type PendingEntry, type ReadOptions } from './bus.js';
import { type ObservedClaim, StandstillMemory, takeOrder } from './claims.js';
import type { HandleOfMemory } from './memoryLatch.js';
import { type GroupStore, type MemoryStore, type StoredClaim, type StoredMessage, type StoredStream, streamOf } from './memoryStore.js';
import { boundedBlockMs } from './policy.js';

// A claim can grow old without anyone touching the bus, so a blocked consumer looks again this often.
const LOOK_AGAIN_MS = 50;

export class MemoryGroup implements ConsumerGroup {
  readonly #store: MemoryStore;
  readonly #stream: string;
  readonly #name: string;
  readonly #handle: HandleOfMemory;
  readonly #standstill = new StandstillMemory();
  readonly #held = new Map<string, StoredClaim>();

  constructor(store: MemoryStore, stream: string, name: string, handle: HandleOfMemory) {
    this.#store = store;
    this.#stream = stream;
    this.#name = name;
    this.#handle = handle;
  }

  async next(
    consumer: string,
    options: { readonly minIdleMs: number } & Pick<ReadOptions, 'blockMs' | 'signal'>,
  ): Promise<Delivery | undefined> {
    const { clock } = this.#store;
    const untilMs = clock.monotonicMs() + boundedBlockMs(options.blockMs);
    for (;;) {
      if (this.#handle.closed) throw new BusUnavailableError('the bus is closed');
      if (options.signal?.aborted) return undefined;
      const delivery = this.#take(consumer, options.minIdleMs);
      const leftMs = untilMs - clock.monotonicMs();
      if (delivery !== undefined || leftMs <= 0) return delivery;
      await this.#handle.waitFor([this.#streamStore().changed], Math.min(leftMs, LOOK_AGAIN_MS), options.signal);
    }
  }

  async pending(): Promise<readonly PendingEntry[]> {
    if (this.#handle.closed) throw new BusUnavailableError('the bus is closed');
    const entries: PendingEntry[] = [];
    for (const [id, message] of this.#group().messages) {
      const claim = this.#observe(id, message);
      if (claim !== undefined) entries.push({ id, consumer: claim.consumer, deliveries: claim.attempt, idleMs: claim.idleMs });
    }
    return entries;
  }

  /** Gives back everything held through this handle. */
  handBack(): void {
    for (const claim of this.#held.values()) claim.released = true;
    this.#held.clear();
    this.#group().changed.wakeAll();
  }

  #streamStore(): StoredStream {
    return streamOf(this.#store, this.#stream);
  }

  #group(): GroupStore {
    const stream = this.#streamStore();
    let group = stream.groups.get(this.#name);
    if (group === undefined) {
      group = { messages: new Map(), changed: this.#streamStore().changed, nextPosition: 0 };
      stream.groups.set(this.#name, group);
    }
    for (const entry of stream.entries) {
      if (entry.position < group.nextPosition) continue;
      if (entry.record !== undefined) group.messages.set(entry.record.id, { record: entry.record, claim: undefined, acked: false });
      group.nextPosition = entry.position + 1;
    }
    return group;
  }

  #observe(id: string, { claim }: StoredMessage): ObservedClaim | undefined {
    if (claim === undefined) return undefined;
    return {
      consumer: claim.consumer,
      attempt: claim.attempt,
      released: claim.released,
      idleMs: this.#standstill.idleMs(id, `${claim.attempt}/${claim.renewals}`, this.#store.clock.monotonicMs()),
      heldHere: this.#held.get(id) === claim,
    };
  }

  #take(consumer: string, minIdleMs: number): Delivery | undefined {
    const group = this.#group();
    const candidates = [...group.messages].map(([id, message]) => ({ id, claim: this.#observe(id, message) }));
    const chosen = takeOrder(candidates, consumer, minIdleMs)[0];
    const message = chosen === undefined ? undefined : group.messages.get(chosen.id);
    if (message === undefined) return undefined;
    const claim: StoredClaim = { consumer, attempt: (message.claim?.attempt ?? 0) + 1, renewals: 0, released: false };
    message.claim = claim;
    this.#held.set(message.record.id, claim);
    return this.#delivery(group, message, claim);
  }

  #delivery(group: GroupStore, message: StoredMessage, claim: StoredClaim): Delivery {
    const { id } = message.record;
    const letGo = () => {
      if (this.#held.get(id) === claim) this.#held.delete(id);
    };
    return {
      record: { ...message.record, receivedMs: this.#store.clock.monotonicMs() },
      deliveries: claim.attempt,
      renew: async () => {
        if (this.#handle.closed) throw new BusUnavailableError('the bus is closed');
        if (message.claim !== claim || claim.released || message.acked) return false;
        claim.renewals += 1;
        return true;
      },
      ack: async () => {
        if (this.#handle.closed) throw new BusUnavailableError('the bus is closed');
        letGo();
        if (message.acked) return false;
        message.acked = true;
        group.messages.delete(id);
        this.#standstill.forget(id);
        return true;
      },
      release: async () => {
        letGo();
        claim.released = true;
        group.changed.wakeAll();
      },
    };
  }
}
