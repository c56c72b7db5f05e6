/** Real servers that follow each other, behind sentinels or in a Cluster, seen in the same way. */
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { AUDIT, type AuditEntry, decodeAuditEntry } from '../../src/messages/audit.js';
import { TRADING_STATE } from '../../src/messages/tradingState.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import type { RedisServer } from '../../src/rig/redis/server.js';
import { eventually } from './eventually.js';

export interface FailoverGroup {
  readonly url: string;
  /** A bus on this one server, whoever is master by then. */
  directUrl(server: RedisServer): string;
  master(): Promise<RedisServer>;
  replicasOf(master: RedisServer): Promise<readonly RedisServer[]>;
  untilReplaced(master: RedisServer): Promise<RedisServer>;
  /** The master that took over needs a replica before it takes writes: where it has none, the old one comes back as such. */
  giveReplica(promoted: RedisServer, old: RedisServer): Promise<void>;
  /** Lets this master take itself for one for as long as nobody tells it otherwise. Gives all who could. */
  isolate(master: RedisServer): Promise<readonly RedisServer[]>;
  /** What stands under a latch on this server; null: nothing. */
  fieldOf(server: RedisServer, latch: string, field: string): Promise<unknown>;
  dispose(): Promise<void>;
}

async function sentinelGroup(): Promise<FailoverGroup> {
  const redis = await SentinelRedis.start();
  return {
    url: redis.url,
    directUrl: (server) => server.url,
    master: () => redis.master(),
    replicasOf: async (master) => redis.servers.filter((server) => server !== master),
    untilReplaced: (master) => redis.untilReplaced(master),
    giveReplica: async () => {},
    isolate: async (master) => [...redis.sentinels, ...redis.servers].filter((server) => server !== master),
    fieldOf: (server, latch, field) => server.command('HGET', latch, field),
    dispose: () => redis.dispose(),
  };
}

const PREFIX = '{trap45}:';

async function clusterGroup(): Promise<FailoverGroup> {
  const redis = await ClusterRedis.start();
  const isReplicaOf = async (server: RedisServer, master: RedisServer) =>
    (await server.info('role')) === 'slave' && (await server.info('master_port')) === String(master.port);
  return {
    url: redis.url(PREFIX),
    directUrl: (server) => `redis+cluster://127.0.0.1:${server.port}?prefix=${encodeURIComponent(PREFIX)}`,
    master: () => redis.masterOf(PREFIX),
    async replicasOf(master) {
      const follows = await Promise.all(redis.servers.map((server) => isReplicaOf(server, master)));
      return redis.servers.filter((_server, index) => follows[index]);
    },
    untilReplaced: (master) => redis.untilReplaced(PREFIX, master),
    async giveReplica(_promoted, old) {
      if (old.end !== undefined) await old.restart();
    },
    async isolate(master) {
      const others = redis.servers.filter((server) => server !== master);
      // What they say while it stands still would be the first that it reads: from nodes that it does not know it takes no word.
      for (const other of others) await master.command('CLUSTER', 'FORGET', String(await other.command('CLUSTER', 'MYID')));
      await master.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
      return others;
    },
    fieldOf: (server, latch, field) => server.commands([['READONLY'], ['HGET', `${PREFIX}${latch}`, field]]),
    dispose: () => redis.dispose(),
  };
}

export const EVERY_GROUP: readonly (readonly [name: string, start: () => Promise<FailoverGroup>])[] = [
  ['sentinels', sentinelGroup],
  ['a Cluster', clusterGroup],
];

/** The replicas hear nothing of the master any more, and it has not noticed yet: what it takes now, it alone has. Gives the replicas. */
export async function cutOffReplicas(group: FailoverGroup, master: RedisServer): Promise<readonly RedisServer[]> {
  const replicas = await group.replicasOf(master);
  for (const replica of replicas) await replica.freeze();
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await master.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  return replicas;
}

/**
 * The master ends and the replicas go on without it. Undefined: one of them had the halt, or has it again already, and what
 * follows would prove nothing.
 */
export async function failOver(
  group: FailoverGroup,
  master: RedisServer,
  replicas: readonly RedisServer[],
): Promise<RedisServer | undefined> {
  await master.kill();
  for (const replica of replicas) await replica.thaw();
  // A node of a Cluster that has just woken up does not answer before it has met the others again.
  const haltedOn = (replica: RedisServer) => eventually(async () => [await group.fieldOf(replica, TRADING_STATE, 'halted')]);
  const halted = (await Promise.all(replicas.map(haltedOn))).flat();
  if (replicas.length === 0 || halted.some((value) => value !== 'false')) return undefined;
  return group.untilReplaced(master);
}

/** Who said on this bus that it had added a forgotten halt again. */
export async function reassertions(bus: Bus, haltId: string): Promise<readonly AuditEntry[]> {
  const { records } = await bus.read(AUDIT, FROM_START, { limit: 10_000 });
  return records.flatMap(({ fields }) => {
    const decoded = decodeAuditEntry(fields);
    if (!decoded.ok || decoded.value.event !== 'state.reasserted') return [];
    return JSON.stringify(decoded.value.details).includes(JSON.stringify(haltId)) ? [decoded.value] : [];
  });
}
