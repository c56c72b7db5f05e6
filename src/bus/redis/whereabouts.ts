/** Keeps all connections of one handle on one master: a master that was replaced goes on answering until it learns of it. */
import type { Clock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { RedisAddress } from './address.js';

/** A master, and under which configuration of its Sentinels or its Cluster it was named. A single server has epoch 0. */
export interface NamedMaster {
  readonly address: RedisAddress;
  readonly epoch: number;
}

/** A connection that can be told where the master is. */
export interface Follower {
  /** Gives its connection up where an older configuration led it to another server. */
  follow(master: NamedMaster): void;
}

/** Suspicions that come faster than this are one. */
const LOOK_MS = 100;
/** When nobody has named a newer configuration for so long, the count has begun anew: Sentinels were told to forget the master. */
export const FORGOTTEN_MS = 10_000;

export class Whereabouts {
  readonly #locate: () => Promise<NamedMaster>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #followers = new Set<Follower>();
  #epoch = 0;
  /** Since when only older configurations have been named. */
  #staleSinceMs: number | undefined;
  #looking = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(locate: () => Promise<NamedMaster>, clock: Clock, logger: Logger) {
    this.#locate = locate;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A connection was made. False: a newer master is known, and it must not be used. Otherwise every other one follows it. */
  arrived(follower: Follower, master: NamedMaster): boolean {
    this.#followers.add(follower);
    return this.#hear(master);
  }

  left(follower: Follower): void {
    this.#followers.delete(follower);
  }

  /** A server has lost its replicas: perhaps because another one is the master now. */
  suspect(): void {
    if (this.#looking || this.#clock.monotonicMs() - this.#lookedMs < LOOK_MS) return;
    this.#looking = true;
    this.#lookedMs = this.#clock.monotonicMs();
    void this.#locate()
      .then(
        (master) => this.#hear(master),
        (error: unknown) => this.#logger.debug({ problem: messageOf(error) }, 'the master cannot be found now'),
      )
      .then(() => {
        this.#looking = false;
      });
  }

  #hear(master: NamedMaster): boolean {
    if (master.epoch < this.#epoch && !this.#hasBegunAnew()) return false;
    this.#staleSinceMs = undefined;
    this.#epoch = master.epoch;
    for (const follower of this.#followers) follower.follow(master);
    return true;
  }

  #hasBegunAnew(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#staleSinceMs ??= nowMs;
    return nowMs - this.#staleSinceMs >= FORGOTTEN_MS;
  }
}
