/**
 * What a failover of the bus costs a system at work, and what it must never cost: a false panic, or a halt. Sentinel and Cluster. The master
 * dies, or stands still and wakes up replaced, in turn.
 */

import { parseRedisUrl } from '../src/bus/redis/target.js';
import { systemClock } from '../src/clock.js';
import type { Conductor } from '../src/drill/conductor.js';
import { quantile } from '../src/drill/quantile.js';
import { trade } from '../src/drill/scenarios/stage.js';
import { TRADING_STATE } from '../src/messages/tradingState.js';
import { ClusterRedis } from '../src/rig/redis/cluster.js';
import { FoundServer } from '../src/rig/redis/foundServer.js';
import { SentinelRedis } from '../src/rig/redis/sentinel.js';
import type { RedisServer } from '../src/rig/redis/server.js';
import { halt } from '../src/tradingState/halt.js';
import { readTradingState } from '../src/tradingState/read.js';
import { type BudgetRow, budgetRow } from './budget.js';
import type { BenchRequest } from './parts/options.js';
import { armAgain, openStage } from './parts/stage.js';

const DEFAULT_FAILOVERS = 3;
const WITHIN_MS = 60_000;
/** With sentinels that give a master up after 0.5 s, or a node timeout of 1 s, trading goes on within this. */
const LEASE_BACK_LIMIT_MS = 15_000;

interface Topology {
  readonly name: string;
  readonly url: string;
  readonly servers: readonly RedisServer[];
  untilWhole(): Promise<void>;
  dispose(): Promise<void>;
}

interface Outage {
  /** From the death of the master to the first refusal. */
  readonly refusedMs: number;
  /** From the first refusal to the first order that was admitted again. */
  readonly withoutLeaseMs: number;
  /** From the death of the master to the first order that was admitted again. */
  readonly backMs: number;
}

async function sentinel(): Promise<Topology> {
  const redis = await SentinelRedis.start();
  const { url, servers } = redis;
  return { name: 'Sentinel', url, servers, untilWhole: () => redis.untilWhole(), dispose: () => redis.dispose() };
}

async function cluster(): Promise<Topology> {
  const redis = await ClusterRedis.start();
  const { servers } = redis;
  const url = redis.url('{bench}:');
  return { name: 'Cluster', url, servers, untilWhole: () => redis.untilWhole(), dispose: () => redis.dispose() };
}

async function masterOf({ servers }: Topology, busUrl: string): Promise<RedisServer> {
  const { address } = await FoundServer.masterOf(busUrl);
  const master = servers.find((server) => server.port === address.port);
  if (master === undefined) throw new Error(`port ${address.port} is none of ours`);
  return master;
}

async function until(stage: Conductor, what: string, seen: () => boolean): Promise<void> {
  if (!(await stage.waitFor(WITHIN_MS, seen))) throw new Error(`${what}: not seen within ${WITHIN_MS} ms`);
}

function firstAfter(stage: Conductor, fromMs: number, result: 'admitted' | 'refused'): number | undefined {
  return stage.attempts().find(({ value }) => value.atMs > fromMs && value.result === result)?.value.atMs;
}

type Fate = 'dies' | 'stands still';

/** It happens to the master with positions open and everyone alive; the master comes back once it has been replaced. */
async function failOver(stage: Conductor, topology: Topology, fate: Fate): Promise<Outage> {
  const master = await masterOf(topology, stage.cast.bus.url);
  const fromMs = systemClock.monotonicMs();
  await (fate === 'dies' ? master.kill() : master.freeze());
  await until(stage, 'a refusal', () => firstAfter(stage, fromMs, 'refused') !== undefined);
  await untilReplaced(stage, topology, master);
  await (fate === 'dies' ? master.restart() : master.thaw());
  const refusedAtMs = firstAfter(stage, fromMs, 'refused') ?? Number.NaN;
  await until(stage, 'an order that is admitted', () => firstAfter(stage, refusedAtMs, 'admitted') !== undefined);
  const backAtMs = firstAfter(stage, refusedAtMs, 'admitted') ?? Number.NaN;
  await topology.untilWhole();
  return { refusedMs: refusedAtMs - fromMs, withoutLeaseMs: backAtMs - refusedAtMs, backMs: backAtMs - fromMs };
}

async function untilReplaced(stage: Conductor, topology: Topology, master: RedisServer): Promise<RedisServer> {
  const untilMs = systemClock.monotonicMs() + WITHIN_MS;
  for (;;) {
    const now = await masterOf(topology, stage.cast.bus.url).catch(() => undefined);
    if (now !== undefined && now !== master) return now;
    if (systemClock.monotonicMs() > untilMs) throw new Error(`port ${master.port} was not replaced within ${WITHIN_MS} ms`);
    await systemClock.sleep(20);
  }
}

/** What the master takes from now on, it alone has: its replicas stand still, and it has not noticed. */
async function cutOff(master: RedisServer, topology: Topology): Promise<readonly RedisServer[]> {
  const text = String(await master.command('INFO', 'replication'));
  const ports = [...text.matchAll(/slave\d+:ip=[^,]*,port=(\d+)/g)].map((match) => Number(match[1]));
  const replicas = topology.servers.filter(({ port }) => ports.includes(port));
  await Promise.all(replicas.map((replica) => replica.freeze()));
  await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await master.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  return replicas;
}

/** Whether this replica knows of the halt: then a failover to it proves nothing. */
async function hasHalt(replica: RedisServer, busUrl: string): Promise<boolean> {
  const key = `${parseRedisUrl(busUrl).prefix}${TRADING_STATE}`;
  const ask = ['HGET', key, 'halted'];
  // A replica of a Cluster answers only who says that it wants to read there.
  const isNode = String(await replica.command('INFO', 'cluster')).includes('cluster_enabled:1');
  return (await replica.commands(isNode ? [['READONLY'], ask] : [ask])) === 'true';
}

/** True: the halt, which only the dead master had, was forgotten, or an order was admitted under it. Undefined: a replica had it. */
async function forgetsHalt(stage: Conductor, topology: Topology): Promise<boolean | undefined> {
  const { bus } = stage.cast;
  const master = await masterOf(topology, bus.url);
  const replicas = await cutOff(master, topology);
  const halted = await halt(bus, { kind: 'manual', reason: 'bench', by: 'bench' });
  if (halted.outcome !== 'committed') throw new Error(`a halt was not committed: ${JSON.stringify(halted)}`);
  const fromMs = systemClock.monotonicMs();
  await until(stage, 'a refusal', () => firstAfter(stage, fromMs, 'refused') !== undefined);
  const refusedAtMs = firstAfter(stage, fromMs, 'refused') ?? Number.NaN;
  await master.kill();
  await Promise.all(replicas.map((replica) => replica.thaw()));
  const known = await Promise.all(replicas.map((replica) => hasHalt(replica, bus.url)));
  await untilReplaced(stage, topology, master);
  await master.restart();
  const isHalted = await remembered(stage, halted.haltId);
  const admittedAtMs = firstAfter(stage, refusedAtMs, 'admitted');
  await topology.untilWhole();
  await armAgain(stage, WITHIN_MS);
  const armedMs = systemClock.monotonicMs();
  await until(stage, 'an order that is admitted', () => firstAfter(stage, armedMs, 'admitted') !== undefined);
  return known.length === 0 || known.includes(true) ? undefined : !isHalted || admittedAtMs !== undefined;
}

async function remembered({ cast }: Conductor, haltId: string): Promise<boolean> {
  const untilMs = systemClock.monotonicMs() + LEASE_BACK_LIMIT_MS;
  while (systemClock.monotonicMs() < untilMs) {
    const reading = await readTradingState(cast.bus).catch(() => undefined);
    if (reading?.state.halts.some(({ id }) => id === haltId) === true) return true;
    await systemClock.sleep(20);
  }
  return false;
}

async function measure(open: () => Promise<Topology>, failovers: number): Promise<readonly BudgetRow[]> {
  const topology = await open();
  try {
    const stage = await openStage({ bus: topology.url, kill: 'bus-master' });
    try {
      await trade(stage);
      const outages: Outage[] = [];
      for (let count = 0; count < failovers; count += 1)
        outages.push(await failOver(stage, topology, count % 2 === 0 ? 'dies' : 'stands still'));
      const forgotten: boolean[] = [];
      for (let tries = 0; forgotten.length < failovers; tries += 1) {
        if (tries >= failovers * 2) throw new Error(`of ${tries} failovers only ${forgotten.length} were to a replica without the halt`);
        const forgets = await forgetsHalt(stage, topology);
        if (forgets !== undefined) forgotten.push(forgets);
      }
      const panics = new Set(stage.sight.panics.map(({ value }) => value.eventId)).size;
      return rowsOf(topology.name, outages, panics, forgotten.filter(Boolean).length);
    } finally {
      await stage.close();
    }
  } finally {
    await topology.dispose();
  }
}

function rowsOf(name: string, outages: readonly Outage[], panics: number, forgotten: number): readonly BudgetRow[] {
  const spread = (values: readonly number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: Math.max(...values) });
  const refused = outages.map(({ refusedMs }) => refusedMs);
  const without = outages.map(({ withoutLeaseMs }) => withoutLeaseMs);
  const back = outages.map(({ backMs }) => backMs);
  return [
    budgetRow(`${name}: master dead → order refused ms`, 750 + 100, refused, spread(refused)),
    budgetRow(`${name}: time without a lease ms`, LEASE_BACK_LIMIT_MS, without, spread(without)),
    budgetRow(`${name}: master dead → first renewed lease ms`, LEASE_BACK_LIMIT_MS, back, spread(back)),
    budgetRow(`${name}: false panics in ${outages.length * 2} failovers`, 0, [panics]),
    budgetRow(`${name}: halts forgotten in ${outages.length} failovers`, 0, [forgotten]),
  ];
}

export async function run({ failovers = DEFAULT_FAILOVERS }: BenchRequest): Promise<readonly BudgetRow[]> {
  return [...(await measure(sentinel, failovers)), ...(await measure(cluster, failovers))];
}
