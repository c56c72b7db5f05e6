/** Proves that the bus takes what is written and gives it back, says whose data it is, and whether what it says may be relied on. */
import { messageOf } from '../../errors.js';
import type { ProbeResult } from '../bus.js';
import type { ServerFacts } from './connection.js';
import { CALL_TIMEOUT_MS, keysOf, type RedisContext } from './context.js';
import { infoOf } from './dialling.js';
import type { Link } from './link.js';
import { PROBE, runScript } from './scripts.js';
import type { ClockSample } from './serverClock.js';
import { evictionOf } from './suitability.js';
import { listOf } from './wire.js';

const PROOF_LIFE_MS = 60_000;
/** How long a replica may take to confirm the proof. */
export const REPLICA_MS = 250;

/** How often it is asked whether the server was told to evict: that costs it more than a probe. */
const EVICTION_EVERY_MS = 1_000;

export interface Replication {
  /** Copies are kept, so that a failover can bring up an older one. */
  readonly replicated: boolean;
  /** Why nothing may be granted on what this server says; undefined: it may. */
  readonly unguarded: string | undefined;
}

/** `INFO replication` names the replicas in step only where the server is told to want some. */
export function replicationOf(info: ReadonlyMap<string, string>, failsOver: boolean): Replication {
  const replicated = failsOver || Number(info.get('connected_slaves') ?? 0) > 0;
  const inStep = info.get('min_slaves_good_slaves');
  const unguarded =
    replicated && inStep === undefined
      ? 'min-replicas-to-write = 0: must be at least 1 on a replicated bus, or a master that was replaced goes on granting'
      : undefined;
  return { replicated, unguarded };
}

export class RedisProbe {
  readonly #context: RedisContext;
  readonly #link: Link;
  readonly #failsOver: boolean;
  readonly #key: string;
  #count = 0;
  #evictionMs = Number.NEGATIVE_INFINITY;
  #eviction: string | undefined;
  #replicated: boolean;

  constructor(context: Omit<RedisContext, 'replicated'>, link: Link, start: Replication, failsOver: boolean) {
    this.#context = { ...context, replicated: () => this.#replicated };
    this.#link = link;
    this.#failsOver = failsOver;
    this.#replicated = start.replicated;
    this.#key = keysOf(context.prefix).proof(context.random.id());
  }

  get replicated(): boolean {
    return this.#replicated;
  }

  async probe(): Promise<ProbeResult> {
    const { clock, closing } = this.#context;
    if (closing.aborted) return { ok: false, detail: 'the bus is closed' };
    const sentMs = clock.monotonicMs();
    const proof = String(++this.#count);
    try {
      const writtenOn = await this.#link.ready(CALL_TIMEOUT_MS);
      const askedMs = clock.monotonicMs();
      const reply = await runScript(this.#link, PROBE, [this.#key], [proof, PROOF_LIFE_MS], CALL_TIMEOUT_MS);
      const [given, serverMs, info] = listOf(reply);
      this.#tellTime(writtenOn, { sentMs: askedMs, serverMs: Number(serverMs), receivedMs: clock.monotonicMs() });
      if (given !== proof) return { ok: false, detail: 'what was written did not come back' };
      const facts = infoOf(info);
      if (facts.get('role') !== 'master') return { ok: false, detail: `the server is not a master now (role ${facts.get('role')})` };
      const reads = this.#context.commands.facts;
      if (reads !== undefined && reads.master.runId !== writtenOn.master.runId)
        return { ok: false, detail: 'what is read comes from another server than the one that was asked' };
      // A master that has lost its replicas is not one that never had any.
      const { replicated, unguarded: unwatched } = replicationOf(facts, this.#failsOver || this.#replicated);
      this.#replicated = replicated;
      if (replicated && !(await this.#confirmed(writtenOn)))
        return { ok: false, detail: `no replica confirmed a write within ${REPLICA_MS} ms` };
      const roundTripMs = clock.monotonicMs() - sentMs;
      const unguarded = unwatched ?? (await this.#evicting());
      return {
        ok: true,
        sentMs,
        roundTripMs,
        identity: facts.get('master_replid') ?? '',
        ...(unguarded === undefined ? {} : { unguarded }),
      };
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    }
  }

  /** The policy can be changed while connections stand. */
  async #evicting(): Promise<string | undefined> {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#evictionMs >= EVICTION_EVERY_MS) {
      this.#eviction = evictionOf(infoOf(await this.#link.call('INFO', ['memory'], CALL_TIMEOUT_MS)));
      this.#evictionMs = nowMs;
    }
    return this.#eviction;
  }

  /** Nothing may have been said on the others for days, in which two clocks drift apart by seconds. */
  #tellTime(askedOn: ServerFacts, sample: ClockSample): void {
    if (this.#link.facts !== askedOn) return;
    const { commands, sureWrites } = this.#context;
    for (const link of [commands, sureWrites]) link.hear(askedOn.master.runId, sample);
  }

  /** A master that was replaced has no replicas any more: on the connection of the write it cannot pretend otherwise. */
  async #confirmed(writtenOn: ServerFacts): Promise<boolean> {
    const isConfirmed = (await this.#link.copies(writtenOn, REPLICA_MS, REPLICA_MS + CALL_TIMEOUT_MS)) >= 1;
    if (!isConfirmed) this.#context.whereabouts.suspect();
    return isConfirmed;
  }
}
