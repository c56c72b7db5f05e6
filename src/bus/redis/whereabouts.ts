/** Keeps all connections of one handle on one master: a master that was replaced goes on answering until it learns of it. */
import type { Clock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { RedisAddress } from './target.js';

/** A master, and under which configuration of its Sentinels or its Cluster it was named. A single server has epoch 0. */
export interface NamedMaster {
  readonly address: RedisAddress;
  readonly epoch: number;
}

/** A connection that can be told where the master is. */
export interface Follower {
  /** Gives its connection up where it leads to another server. */
  follow(master: NamedMaster): void;
}

/** Suspicions that come faster than this are one. */
const LOOK_MS = 100;

export class Whereabouts {
  readonly #locate: () => Promise<NamedMaster>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #followers = new Set<Follower>();
  #epoch = 0;
  #looking = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(locate: () => Promise<NamedMaster>, clock: Clock, logger: Logger) {
    this.#locate = locate;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A connection was made; every other one follows it, unless a newer master is known already. */
  arrived(follower: Follower, master: NamedMaster): void {
    this.#followers.add(follower);
    if (master.epoch < this.#epoch) {
      this.suspect();
      return;
    }
    this.#tell(master);
  }

  left(follower: Follower): void {
    this.#followers.delete(follower);
  }

  /** A server has lost its replicas: perhaps because another one is the master now. */
  suspect(): void {
    if (this.#looking || this.#clock.monotonicMs() - this.#lookedMs < LOOK_MS) return;
    this.#looking = true;
    this.#lookedMs = this.#clock.monotonicMs();
    this.#locate()
      .then(
        (master) => this.#tell(master),
        (error: unknown) => this.#logger.debug({ problem: messageOf(error) }, 'the master cannot be found now'),
      )
      .finally(() => {
        this.#looking = false;
      });
  }

  #tell(master: NamedMaster): void {
    if (master.epoch < this.#epoch) return;
    this.#epoch = master.epoch;
    for (const follower of this.#followers) follower.follow(master);
  }
}
