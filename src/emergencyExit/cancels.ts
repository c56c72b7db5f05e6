/** Cancels that are under way: each order once at a time, in a lane of their own, so that one that hangs keeps no close waiting. */
import type { WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { type LegKey, legKey, orderKey } from './book.js';

export interface CancelLaneOptions {
  readonly clock: Clock;
  /** Nobody waits for a cancel longer than this: it goes on beside them. */
  readonly patienceMs: number;
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  /** True when the venue confirmed that it ended the order. Must not throw. */
  readonly cancel: (order: WorkingOrder) => Promise<boolean>;
}

export class CancelLane {
  readonly #options: CancelLaneOptions;
  readonly #underWay = new Map<string, { readonly leg: LegKey; readonly end: Promise<boolean> }>();

  constructor(options: CancelLaneOptions) {
    this.#options = options;
  }

  /** Whether each was confirmed in time. */
  async cancel(orders: readonly WorkingOrder[]): Promise<readonly boolean[]> {
    const { clock, patienceMs } = this.#options;
    const answer = await settleWithin(clock, Promise.all(orders.map((order) => this.#one(order))), patienceMs);
    return answer.settled ? answer.value : orders.map(() => false);
  }

  /** An order that is gone from the book may have filled: only once its cancel has ended is it known which readings came later. */
  concerns(leg: LegKey): boolean {
    return [...this.#underWay.values()].some((cancel) => cancel.leg === leg);
  }

  /** Joins a cancel of the same order that has not ended yet. */
  async #one(order: WorkingOrder): Promise<boolean> {
    const key = orderKey(order);
    const { limit, cancel } = this.#options;
    const known = this.#underWay.get(key)?.end;
    if (known !== undefined) return known;
    const end = limit(() => cancel(order));
    this.#underWay.set(key, { leg: legKey(order), end });
    try {
      return await end;
    } finally {
      this.#underWay.delete(key);
    }
  }
}
