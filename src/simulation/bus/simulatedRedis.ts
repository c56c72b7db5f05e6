/** A simulated Redis with one copy or none: what an operator calls "the bus", and all that can happen to it. */
import type { Bus } from '../../bus/bus.js';
import type { Random } from '../../random.js';
import type { Kernel } from '../kernel/kernel.js';
import { Link, type LinkOptions } from '../kernel/link.js';
import type { SimulatedProcess } from '../kernel/simulatedProcess.js';
import { SimulatedBus } from './busClient.js';
import { BusConnection } from './connection.js';
import type { Reply, Request } from './messages.js';
import { BusServer } from './server.js';
import { apply, type Change, emptyData, latchOf, nextAt, type ServerData, streamOf } from './serverData.js';

export interface SimulatedRedisOptions {
  /** One copy, which a failover promotes. Default: none. */
  readonly replicated?: boolean;
  readonly link?: LinkOptions;
  /** The server's wall clock at the beginning. */
  readonly wallStartMs?: number;
}

const DEFAULT_LINK: LinkOptions = { latencyMs: 0.2, jitterMs: 0.3 };
/** How long a change takes to the copy. */
const REPLICATION_MS = 0.3;
/** As the real probe waits for its copy. */
const CONFIRM_MS = 1;

const NOBODY = { answer: () => {}, over: () => {} };

export type BusLink = Link<Request, Reply>;

export class SimulatedRedis {
  readonly server: BusServer;
  readonly #kernel: Kernel;
  readonly #random: Random;
  readonly #options: SimulatedRedisOptions;
  readonly #links = new Map<string, BusLink>();
  #replica: ServerData | undefined;
  /** Changes on their way to the copy, which nobody reads before it is promoted. */
  #underWay: { readonly dueMs: number; readonly change: Change }[] = [];
  #replicaCut = false;
  #frozen = false;
  #kills = 0;
  #keeps = true;

  constructor(kernel: Kernel, options: SimulatedRedisOptions = {}) {
    this.#kernel = kernel;
    this.#options = options;
    this.#random = kernel.random.fork('bus');
    this.server = new BusServer(kernel, this.#random.id(), options.wallStartMs ?? 1_440_374_400_000);
    if (options.replicated === true) this.#attachReplica(emptyData());
  }

  /** A handle for this process. Its connection can be reached by {@link link} under the process's name. */
  open(process: SimulatedProcess): Bus {
    const link: BusLink = new Link(
      this.#kernel,
      process,
      'bus',
      (request, caller) => {
        if (this.#kills === 0) this.server.handle(request, caller);
      },
      this.#options.link ?? DEFAULT_LINK,
      (request, caller, arrivesMs, backMs) => this.#kills === 0 && this.server.park(request, caller, arrivesMs, backMs),
    );
    link.vigilant = this.#frozen || this.#kills > 0;
    link.setRefusing(this.#kills > 0);
    this.#links.set(process.name, link);
    const connection = new BusConnection({
      link,
      cluster: {
        unreplicated: () => this.#unreplicated(),
        confirmMs: this.#replica === undefined ? 0 : CONFIRM_MS,
        identity: () => this.server.identity,
      },
      trueTime: (monotonicMs) => this.#kernel.nowMs + (monotonicMs - process.clock.monotonicMs()),
      sleep: (delayMs) => process.clock.sleep(delayMs),
    });
    return new SimulatedBus('simulated:', connection, process.clock);
  }

  link(process: string): BusLink | undefined {
    return this.#links.get(process);
  }

  /** As SIGSTOP: takes what comes, answers when it goes on. */
  freeze(): void {
    this.#frozen = true;
    this.server.stop();
    for (const link of this.#links.values()) link.vigilant = true;
  }

  thaw(): void {
    this.#frozen = false;
    for (const link of this.#links.values()) link.vigilant = this.#kills > 0;
    this.server.goOn();
  }

  /** As SIGKILL: every connection breaks, and none is taken until {@link start}. */
  kill(): void {
    this.#kills += 1;
    this.server.drop();
    for (const link of this.#links.values()) {
      link.setRefusing(true);
      link.reset();
    }
  }

  /** One start for each kill; the last one counts. `kept: false`: without persistence, it starts empty. */
  start(kept: boolean): void {
    this.#keeps &&= kept;
    this.#kills = Math.max(0, this.#kills - 1);
    if (this.#kills > 0) return;
    const data = this.#keeps ? this.server.data : emptyData();
    this.#keeps = true;
    this.server.restart(data, this.#random.id());
    if (this.#replica !== undefined) this.#attachReplica(copyOf(this.server.data));
    for (const link of this.#links.values()) link.setRefusing(false);
  }

  /** The copy stops hearing of changes: the next failover loses what comes now. */
  cutReplica(cut: boolean): void {
    if (cut && this.#replica !== undefined) this.#replicate(this.#replica);
    this.#replicaCut = cut;
    if (!cut && this.#replica !== undefined) this.#attachReplica(copyOf(this.server.data));
  }

  /** The copy becomes the master; every connection breaks. Without a copy it is a restart that keeps everything. */
  failOver(): void {
    const promoted = this.#replica;
    if (promoted !== undefined && !this.#replicaCut) this.#replicate(promoted);
    this.server.restart(promoted ?? this.server.data, this.#random.id());
    if (promoted !== undefined) {
      this.#replicaCut = false;
      this.#attachReplica(copyOf(promoted));
    }
    this.#frozen = false;
    this.server.goOn();
    for (const link of this.#links.values()) link.reset();
  }

  /** By somebody outside the system, who looks at no answer. */
  write(request: Request): void {
    if (this.#kills === 0) this.server.handle(request, NOBODY);
  }

  /** Puts a record in that nobody can understand. */
  corrupt(stream: string): void {
    const stored = streamOf(this.server.data, stream);
    const at = nextAt(stored, this.#kernel.nowMs);
    this.server.commit({ do: 'append', stream, record: { at, key: undefined, fields: undefined }, idempotencyKey: undefined });
  }

  spoilLatch(key: string): void {
    this.server.commit({ do: 'set', key, version: latchOf(this.server.data, key).version + 1, fields: undefined });
  }

  #unreplicated(): string | undefined {
    return this.#replica !== undefined && this.#replicaCut ? 'no replica confirmed the write' : undefined;
  }

  #attachReplica(data: ServerData): void {
    this.#replica = data;
    this.#underWay = [];
    this.server.onChange = (change: Change) => {
      if (!this.#replicaCut) this.#underWay.push({ dueMs: this.#kernel.nowMs + REPLICATION_MS, change });
    };
  }

  /** What has arrived at the copy by now. A copy that is cut or replaced before never has it. */
  #replicate(data: ServerData): void {
    for (const { dueMs, change } of this.#underWay.splice(0)) if (dueMs <= this.#kernel.nowMs) apply(data, change);
  }
}

function copyOf(data: ServerData): ServerData {
  return structuredClone(data);
}
