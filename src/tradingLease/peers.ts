/** Follows the beats of those who must watch while this holder trades. */
import { EXIT_WORKER_HEARTBEAT, type PeerBeat, WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';
import { notePeer } from '../tradingState/fleet.js';
import { type Sighting, Sightings } from '../tradingState/sightings.js';
import { tail } from '../tradingState/tail.js';
import type { LeaseConfig } from './options.js';

/** A read never waits longer than this part of the liveness: so old may a beat be that this reader takes for new. */
const BLOCKS_PER_LIVENESS = 8;

export class Peers {
  readonly #config: LeaseConfig;
  readonly #watchdogs = new Sightings<PeerBeat>();
  readonly #workers = new Sightings<PeerBeat>();
  #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(config: LeaseConfig) {
    this.#config = config;
  }

  get watchdogs(): readonly Sighting<PeerBeat>[] {
    return this.#watchdogs.all();
  }

  get workers(): readonly Sighting<PeerBeat>[] {
    return this.#workers.all();
  }

  start(): void {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = Promise.all([
      this.#follow(WATCHDOG_HEARTBEAT, this.#watchdogs, signal),
      this.#follow(EXIT_WORKER_HEARTBEAT, this.#workers, signal),
    ]);
  }

  /** Starts over at the ends of the streams: positions on one server mean nothing on another. */
  restart(): void {
    this.#stopping.abort();
    this.forget();
    this.start();
  }

  /** What was seen so far proves nothing any more: everyone must advance anew. */
  forget(): void {
    this.#watchdogs.clear();
    this.#workers.clear();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  #follow(stream: string, sightings: Sightings<PeerBeat>, signal: AbortSignal): Promise<void> {
    const { bus, clock, peerLivenessMs } = this.#config;
    const blockMs = Math.max(1, peerLivenessMs / BLOCKS_PER_LIVENESS);
    return tail(bus, stream, {
      clock,
      signal,
      blockMs,
      retryMs: blockMs,
      onRecord: (record, notBeforeMs) => notePeer(sightings, record, notBeforeMs),
    });
  }
}
