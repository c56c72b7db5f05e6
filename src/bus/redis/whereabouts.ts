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

/** One that was met where it was named, and says of itself that it is a master. */
export interface MetMaster extends NamedMaster {
  /** Of this life of its process: one server can be called by several addresses, and one address can lead to several servers. */
  readonly runId: string;
}

/** A connection that can be told where the master is. */
export interface Follower {
  /** Gives its connection up where it leads to another server, and breaks off making one that will. */
  follow(master: MetMaster): void;
}

/** Suspicions that come faster than this are one. */
const LOOK_MS = 100;
/** When nobody has named a newer configuration for so long, the count has begun anew: Sentinels were told to forget the master. */
export const FORGOTTEN_MS = 10_000;

export class Whereabouts {
  readonly #meet: () => Promise<MetMaster>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #followers = new Set<Follower>();
  #epoch = 0;
  /** Since when only older configurations have been named. */
  #staleSinceMs: number | undefined;
  #looking = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(meet: () => Promise<MetMaster>, clock: Clock, logger: Logger) {
    this.#meet = meet;
    this.#clock = clock;
    this.#logger = logger;
  }

  joined(follower: Follower): void {
    this.#followers.add(follower);
  }

  left(follower: Follower): void {
    this.#followers.delete(follower);
  }

  /** False: it was named under an older configuration than one that is known, and must not be used. */
  isCurrent(master: NamedMaster): boolean {
    return master.epoch >= this.#epoch || this.#hasBegunAnew();
  }

  /** A connection was made. False: it must not be used. Otherwise every other one follows it. */
  arrived(master: MetMaster): boolean {
    if (!this.isCurrent(master)) return false;
    this.#staleSinceMs = undefined;
    this.#epoch = master.epoch;
    for (const follower of this.#followers) follower.follow(master);
    return true;
  }

  /** A server has lost its replicas: perhaps because another one is the master now. */
  suspect(): void {
    if (this.#looking || this.#clock.monotonicMs() - this.#lookedMs < LOOK_MS) return;
    this.#looking = true;
    this.#lookedMs = this.#clock.monotonicMs();
    void this.#meet()
      .then(
        (master) => this.arrived(master),
        (error: unknown) => this.#logger.debug({ problem: messageOf(error) }, 'the master cannot be found now'),
      )
      .then(() => {
        this.#looking = false;
      });
  }

  #hasBegunAnew(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#staleSinceMs ??= nowMs;
    return nowMs - this.#staleSinceMs >= FORGOTTEN_MS;
  }
}
