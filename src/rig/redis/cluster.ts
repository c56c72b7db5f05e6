/** A Redis Cluster on loopback: three masters with a replica each. */
import { type Clock, systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { RigError } from '../child.js';
import { RedisServer } from './server.js';

export interface ClusterOptions {
  /** A node that is silent for so long is given up. Default 1,000 ms. */
  readonly nodeTimeoutMs?: number;
  readonly config?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

const MASTERS = 3;
const SLOTS = 16_384;
const SETTLED_MS = 30_000;

export class ClusterRedis {
  readonly servers: readonly RedisServer[];
  readonly #clock: Clock;

  private constructor(servers: readonly RedisServer[], clock: Clock) {
    this.servers = servers;
    this.#clock = clock;
  }

  static async start(options: ClusterOptions = {}): Promise<ClusterRedis> {
    const { clock = systemClock, nodeTimeoutMs = 1_000, config = {} } = options;
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-node-timeout': String(nodeTimeoutMs),
      'min-replicas-to-write': '1',
      'min-replicas-max-lag': '3',
      'repl-ping-replica-period': '1',
      ...config,
    };
    const starting = Array.from({ length: MASTERS * 2 }, () => RedisServer.start({ clock, config: settings, cluster: true }));
    const started = await Promise.allSettled(starting);
    const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const cluster = new ClusterRedis(servers, clock);
    try {
      const failed = started.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw new RigError(`a node of the Cluster did not start: ${messageOf(failed.reason)}`);
      await cluster.#meet();
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  url(prefix: string): string {
    return `redis+cluster://${this.servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}?prefix=${encodeURIComponent(prefix)}`;
  }

  /** The master of a key, as the first node that answers sees it. */
  async masterOf(key: string): Promise<RedisServer> {
    for (const server of this.servers) {
      const slot = await server.command('CLUSTER', 'KEYSLOT', key).catch(() => undefined);
      if (typeof slot !== 'number') continue;
      const nodes = String(await server.command('CLUSTER', 'NODES'));
      const port = nodes
        .split('\n')
        .filter((line) => /\bmaster\b/.test(line) && !/\bfail\b/.test(line))
        .filter((line) =>
          line
            .split(' ')
            .slice(8)
            .some((range) => covers(range, slot)),
        )
        .map((line) => Number(/:(\d+)@/.exec(line)?.[1]))[0];
      const master = this.servers.find((candidate) => candidate.port === port);
      if (master !== undefined) return master;
    }
    throw new RigError(`no node names the master of ${key}`);
  }

  /** A replica whose master is not this one. */
  async replicaOfAnother(master: RedisServer): Promise<RedisServer> {
    for (const server of this.servers) {
      const [role, port] = [await server.info('role'), await server.info('master_port')];
      if (role === 'slave' && Number(port) !== master.port) return server;
    }
    throw new RigError(`every replica is one of port ${master.port}`);
  }

  /** Waits until the key has another master than this one. */
  async untilReplaced(key: string, master: RedisServer, timeoutMs = SETTLED_MS): Promise<RedisServer> {
    await this.#until(`another master than port ${master.port}`, timeoutMs, async () => (await this.masterOf(key)) !== master);
    return this.masterOf(key);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
  }

  async #meet(): Promise<void> {
    const [first, ...others] = this.servers;
    if (first === undefined) throw new RigError('the Cluster has no node');
    for (const other of others) await first.command('CLUSTER', 'MEET', '127.0.0.1', other.port);
    await this.#until('nodes that know each other', SETTLED_MS, async () =>
      (await this.#infos()).every((info) => info.includes(`cluster_known_nodes:${this.servers.length}`)),
    );
    const masters = this.servers.slice(0, MASTERS);
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [index, master] of masters.entries()) {
      await master.command('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min(SLOTS, (index + 1) * share) - 1);
      const replica = this.servers[MASTERS + index];
      await replica?.command('CLUSTER', 'REPLICATE', String(await master.command('CLUSTER', 'MYID')));
    }
    await this.untilWhole();
  }

  /** Waits until every slot is served, and each master has its replica in step. */
  async untilWhole(): Promise<void> {
    await this.#until('a Cluster that is whole, with its replicas in step', SETTLED_MS, async () => {
      const whole = (await this.#infos()).every((info) => info.includes('cluster_state:ok'));
      const replications = await Promise.all(this.servers.map((server) => server.command('INFO', 'replication')));
      const inStep = replications.filter((text) => String(text).includes('role:master') && String(text).includes('state=online'));
      return whole && inStep.length === MASTERS;
    });
  }

  async #infos(): Promise<readonly string[]> {
    return (await Promise.all(this.servers.map((server) => server.command('CLUSTER', 'INFO')))).map(String);
  }

  async #until(what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + timeoutMs;
    while (!(await holds().catch(() => false))) {
      if (this.#clock.monotonicMs() > untilMs) throw new RigError(`${what}: not seen within ${timeoutMs} ms`);
      await this.#clock.sleep(20);
    }
  }
}

function covers(range: string, slot: number): boolean {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  return match !== null && slot >= Number(match[1]) && slot <= Number(match[2] ?? match[1]);
}
