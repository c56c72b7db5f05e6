/** One connection that is kept alive: every call has a deadline, nothing is sent twice, and what hangs is replaced. */
import type { Clock } from '../../clock.js';
import { settleWithin } from '../../deadline.js';
import { messageOf } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { Random } from '../../random.js';
import { BusUnavailableError } from '../bus.js';
import { nameOf } from './address.js';
import type { Established, ServerFacts } from './connection.js';
import { type RedisArgument, type RedisConnection, RedisReplyError } from './seam.js';
import { type ClockSample, ServerClock } from './serverClock.js';
import type { Follower, MetMaster, NamedMaster, Whereabouts } from './whereabouts.js';

/** Surely not sent. */
export class NotSentError extends BusUnavailableError {}

/** Sent, and no answer: it may have been done, or may yet be. */
export class NoReplyError extends BusUnavailableError {}

/** How a dial is followed and broken off. */
export interface DialWay {
  readonly located: (master: NamedMaster) => void;
  readonly signal: AbortSignal;
}

export interface LinkOptions {
  readonly name: string;
  readonly dial: (name: string, way: DialWay) => Promise<Established>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Calls in a row without an answer in time before the connection is given up. */
  readonly silentCallsMax: number;
  readonly whereabouts: Whereabouts;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
export const SILENT_CALLS_MAX = 2;

/** Error replies after which the master must be looked for again. */
const ELSEWHERE = new Set(['READONLY', 'MOVED', 'ASK', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'NOAUTH']);

const OUTDATED = 'a newer master is known than the one that was named';

export class Link implements Follower {
  readonly #options: LinkOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #established: Established | undefined;
  #dialling: { readonly towards: NamedMaster; readonly breakOff: () => void } | undefined;
  #serverClock: ServerClock | undefined;
  #problem: string | undefined;
  #silentCalls = 0;
  #changed: () => void = () => {};
  #change = this.#nextChange();

  constructor(options: LinkOptions) {
    this.#options = options;
    options.whereabouts.joined(this);
    this.#running = this.#keep();
  }

  /** What is known of the server at the other end; undefined: there is no connection now. */
  get facts(): ServerFacts | undefined {
    return this.#established?.facts;
  }

  /** The server's clock, as far as this connection knows it. */
  get serverClock(): ServerClock | undefined {
    return this.#established === undefined ? undefined : this.#serverClock;
  }

  /** What another connection has heard of the clock of a process, if it is the one at the other end of this. */
  hear(runId: string, sample: ClockSample): void {
    if (this.facts?.master.runId === runId) this.#serverClock?.observe(sample, 'elsewhere');
  }

  /** Why there is no connection. */
  get problem(): string {
    return this.#problem ?? 'not connected yet';
  }

  /** Waits for a connection, as long as nobody knows why there is none. Throws {@link NotSentError}. */
  async ready(timeoutMs: number): Promise<ServerFacts> {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const { facts } = this;
      if (facts !== undefined) return facts;
      const leftMs = untilMs - clock.monotonicMs();
      if (this.#problem !== undefined || this.#stopping.signal.aborted || leftMs <= 0) throw new NotSentError(this.problem);
      await settleWithin(clock, this.#change, leftMs);
    }
  }

  /**
   * Asks how many replicas have what the connection of `writtenOn` wrote. On another connection, which may lead to another
   * master, the answer would speak of something else: then it is not asked, and {@link NotSentError} is thrown.
   */
  async copies(writtenOn: ServerFacts, waitMs: number, timeoutMs: number): Promise<number> {
    if (this.facts !== writtenOn) throw new NotSentError('another connection has taken the place of the one that wrote');
    return Number(await this.call('WAIT', [1, Math.max(1, Math.round(waitMs))], timeoutMs));
  }

  /** Throws {@link NotSentError}, {@link NoReplyError} or RedisReplyError. */
  async call(command: string, args: readonly RedisArgument[], timeoutMs: number): Promise<unknown> {
    const established = this.#established;
    if (established === undefined) throw new NotSentError(this.problem);
    const { connection } = established;
    try {
      const answered = await settleWithin(this.#options.clock, connection.send(command, args), timeoutMs);
      if (answered.settled) {
        this.#silentCalls = 0;
        return answered.value;
      }
    } catch (error) {
      if (!(error instanceof RedisReplyError)) throw new NoReplyError(messageOf(error), { cause: error });
      this.#silentCalls = 0;
      if (ELSEWHERE.has(error.kind)) this.#giveUp(connection, error.message);
      if (error.kind === 'NOREPLICAS') this.#options.whereabouts.suspect();
      throw error;
    }
    this.#silentCalls += 1;
    const detail = `no answer to ${command} within ${timeoutMs} ms`;
    if (this.#silentCalls >= this.#options.silentCallsMax) this.#giveUp(connection, detail);
    throw new NoReplyError(detail);
  }

  follow(master: MetMaster): void {
    const elsewhere = `the master is ${nameOf(master.address)} now`;
    if (this.#established !== undefined) {
      const { connection, facts } = this.#established;
      if (facts.master.runId !== master.runId) this.#giveUp(connection, elsewhere);
    } else if (this.#dialling !== undefined) {
      const { towards, breakOff } = this.#dialling;
      // Under one configuration two addresses can be one server: what a dial meets will tell.
      if (towards.epoch >= master.epoch || nameOf(towards.address) === nameOf(master.address)) return;
      this.#fail(elsewhere);
      breakOff();
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#options.whereabouts.left(this);
    this.#established?.connection.drop();
    this.#changed();
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { clock, random, logger, name } = this.#options;
    const { signal } = this.#stopping;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        const established = await this.#dial();
        // Broken off: where the connection is to lead now is known, and nothing need be waited for.
        if (established === undefined) continue;
        if (signal.aborted) established.connection.drop();
        else if (!this.#become(established)) throw new NotSentError(OUTDATED);
        pauseMs = FIRST_PAUSE_MS;
        await established.connection.ended;
        this.#lose(established, 'the connection was closed');
      } catch (error) {
        this.#fail(messageOf(error));
        logger.debug({ name, problem: this.#problem }, 'no connection to Redis');
      }
      // Spread out, so that a server that comes back is not met by everyone at once.
      await clock.sleep(pauseMs * (0.5 + random.next()), signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Undefined: broken off. */
  async #dial(): Promise<Established | undefined> {
    const { dial, name, whereabouts } = this.#options;
    const ending = new AbortController();
    const brokenOff = new Promise<undefined>((resolve) => {
      ending.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const located = (towards: NamedMaster) => {
      if (!whereabouts.isCurrent(towards)) throw new NotSentError(OUTDATED);
      this.#dialling = { towards, breakOff: () => ending.abort() };
    };
    try {
      return await Promise.race([dial(name, { located, signal: ending.signal }), brokenOff]);
    } finally {
      this.#dialling = undefined;
    }
  }

  /** False: it must not be used. */
  #become(established: Established): boolean {
    if (!this.#options.whereabouts.arrived(established.facts.master)) {
      established.connection.drop();
      return false;
    }
    this.#established = established;
    this.#serverClock = new ServerClock(established.facts.time);
    this.#problem = undefined;
    this.#silentCalls = 0;
    this.#tell();
    return true;
  }

  #giveUp(connection: RedisConnection, why: string): void {
    // Of many calls that it left without an answer, the first to say so has given it up for all.
    if (this.#established?.connection !== connection) return;
    this.#lose(this.#established, why);
    connection.drop();
  }

  #lose(established: Established, why: string): void {
    if (this.#established !== established) return;
    this.#established = undefined;
    this.#fail(why);
  }

  #fail(why: string): void {
    this.#problem = why;
    this.#tell();
  }

  #tell(): void {
    const changed = this.#changed;
    this.#change = this.#nextChange();
    changed();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}
