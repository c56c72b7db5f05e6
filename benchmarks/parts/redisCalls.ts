/** The bus on Redis beside the bare client that it is made with, on the same server and in the same round. */
import { Redis } from 'ioredis';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../src/messages/heartbeat.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { type BudgetRow, budgetRow, median } from '../budget.js';
import { BARE_STREAM } from './bare.js';
import { serverCpuMs } from './places.js';
import { beat, microsOf, nowMs, wakeUpMs } from './samples.js';

const ROUNDS = 5;
const TURNS = 10;
const BEATS_A_TURN = 300;
const PANICS = 200;
/** Many services send at once: their beats are under way together. */
const TOGETHER = 100;
const BURSTS_A_TURN = 15;
const PREFIX = '{bench}:';

type Send = (sequence: number) => Promise<unknown>;

interface Sending {
  /** One after the other. */
  readonly aloneMicros: number;
  readonly perSecond: number;
  /** What the server used of its core for each that came in a burst, in µs. */
  readonly serverMicros: number;
}

interface Round {
  readonly bus: Sending;
  readonly bare: Sending;
  readonly busWakeUpMs: number;
  readonly bareWakeUpMs: number;
}

const ratios = (rounds: readonly Round[], over: (one: Round) => number, under: (one: Round) => number): number[] =>
  rounds.map((one) => over(one) / under(one));

interface Sender {
  readonly server: RedisServer;
  readonly send: Send;
  readonly micros: number[];
  burstMs: number;
  serverMs: number;
}

const senderOn = (server: RedisServer, send: Send): Sender => ({ server, send, micros: [], burstMs: 0, serverMs: 0 });

async function turnOf(sender: Sender): Promise<void> {
  sender.micros.push(...(await microsOf(BEATS_A_TURN, sender.send)));
  const serverFromMs = await serverCpuMs(sender.server);
  const fromMs = nowMs();
  for (let burst = 0; burst < BURSTS_A_TURN; burst += 1)
    await Promise.all(Array.from({ length: TOGETHER }, (_, index) => sender.send(burst * TOGETHER + index)));
  sender.burstMs += nowMs() - fromMs;
  sender.serverMs += (await serverCpuMs(sender.server)) - serverFromMs;
}

/** In turns, so that a busy moment of the machine is not the misfortune of one of them. */
async function inTurns(...senders: readonly Sender[]): Promise<void> {
  // Nobody is measured while the code is still being compiled.
  for (const { server, send } of senders) await turnOf(senderOn(server, send));
  for (let turn = 0; turn < TURNS; turn += 1) for (const sender of senders) await turnOf(sender);
}

function sendingOf({ micros, burstMs, serverMs }: Sender): Sending {
  const inBursts = TURNS * BURSTS_A_TURN * TOGETHER;
  return { aloneMicros: median(micros), perSecond: (inBursts * 1_000) / burstMs, serverMicros: (serverMs * 1_000) / inBursts };
}

/** A beat that is not committed took no time worth telling. */
const sendOn =
  (bus: Bus): Send =>
  async (sequence) => {
    const { outcome } = await bus.append(EXIT_BRAIN_HEARTBEAT, beat(sequence), { key: 'mean-reversion' });
    if (outcome !== 'committed') throw new Error(`a heartbeat was not committed but ${outcome}: nothing can be measured here`);
  };

const addBy =
  (redis: Redis): Send =>
  (sequence) =>
    redis.xadd(BARE_STREAM, '*', ...Object.entries(beat(sequence)).flat());

async function round(): Promise<Round> {
  const server = await RedisServer.start();
  const bus = await openBus(server.url);
  const redis = new Redis(server.url);
  try {
    const [byBus, byClient] = [senderOn(server, sendOn(bus)), senderOn(server, addBy(redis))];
    await inTurns(byBus, byClient);
    return {
      bus: sendingOf(byBus),
      bare: sendingOf(byClient),
      busWakeUpMs: await wakeUpMs('bus', server.url, sendOn(bus)),
      bareWakeUpMs: await wakeUpMs('stream', server.url, addBy(redis)),
    };
  } finally {
    redis.disconnect();
    await bus.close();
    await server.dispose();
  }
}

export async function redisRows(): Promise<BudgetRow[]> {
  const rounds: Round[] = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await round());
  const middle = (figure: (one: Round) => number) => median(rounds.map(figure));
  return [
    budgetRow(
      'redis heartbeat p50 over a bare XADD',
      2,
      ratios(
        rounds,
        (one) => one.bus.aloneMicros,
        (one) => one.bare.aloneMicros,
      ),
      { 'heartbeat µs': middle((one) => one.bus.aloneMicros), 'bare XADD µs': middle((one) => one.bare.aloneMicros) },
    ),
    budgetRow(
      'redis heartbeats, 100 under way, time of each over a bare XADD',
      4,
      ratios(
        rounds,
        (one) => one.bare.perSecond,
        (one) => one.bus.perSecond,
      ),
      { 'heartbeats a second': middle((one) => one.bus.perSecond), 'bare XADD a second': middle((one) => one.bare.perSecond) },
    ),
    budgetRow(
      'redis heartbeat, time of the server over a bare XADD',
      4,
      ratios(
        rounds,
        (one) => one.bus.serverMicros,
        (one) => one.bare.serverMicros,
      ),
      { 'heartbeat µs': middle((one) => one.bus.serverMicros), 'bare XADD µs': middle((one) => one.bare.serverMicros) },
    ),
    budgetRow(
      'redis wake-up in another process p50 over a bare XREAD',
      2,
      ratios(
        rounds,
        (one) => one.busWakeUpMs,
        (one) => one.bareWakeUpMs,
      ),
      { 'wake-up ms': middle((one) => one.busWakeUpMs), 'bare XREAD ms': middle((one) => one.bareWakeUpMs) },
    ),
  ];
}

interface ClusterRound {
  readonly alone: Sending;
  readonly cluster: Sending;
  /** Of the replica of the bus's master, in µs for each heartbeat. */
  readonly replicaMicros: number;
  /** Committed means that a replica has it. */
  readonly panicMicros: number;
}

async function replicaOf(cluster: ClusterRedis, master: RedisServer): Promise<RedisServer> {
  for (const server of cluster.servers) if ((await server.info('master_port')) === String(master.port)) return server;
  throw new Error('the master has no replica');
}

async function clusterRound(): Promise<ClusterRound> {
  const server = await RedisServer.start();
  const cluster = await ClusterRedis.start();
  const buses = { alone: await openBus(server.url), cluster: await openBus(cluster.url(PREFIX)) };
  try {
    const master = await cluster.masterOf(PREFIX);
    const replica = await replicaOf(cluster, master);
    const [onServer, onCluster] = [senderOn(server, sendOn(buses.alone)), senderOn(master, sendOn(buses.cluster))];
    const copiedFromMs = await serverCpuMs(replica);
    await inTurns(onServer, onCluster);
    const copied = (TURNS + 1) * (BEATS_A_TURN + BURSTS_A_TURN * TOGETHER);
    const replicaMicros = (((await serverCpuMs(replica)) - copiedFromMs) * 1_000) / copied;
    const panicMicros = await microsOf(PANICS, async (sequence) => {
      const { outcome } = await buses.cluster.append(PANIC_CLOSE, beat(sequence));
      if (outcome !== 'committed') throw new Error(`a panic was not committed but ${outcome}: nothing can be measured here`);
    });
    return { alone: sendingOf(onServer), cluster: sendingOf(onCluster), replicaMicros, panicMicros: median(panicMicros) };
  } finally {
    await Promise.all(Object.values(buses).map((bus) => bus.close()));
    await cluster.dispose();
    await server.dispose();
  }
}

export async function clusterRows(): Promise<BudgetRow[]> {
  const rounds: ClusterRound[] = [];
  for (let index = 0; index < ROUNDS; index += 1) rounds.push(await clusterRound());
  const middle = (figure: (one: ClusterRound) => number) => median(rounds.map(figure));
  return [
    budgetRow(
      'cluster heartbeat p50 over one on a single server',
      2,
      rounds.map((one) => one.cluster.aloneMicros / one.alone.aloneMicros),
      { 'in a Cluster µs': middle((one) => one.cluster.aloneMicros), 'single server µs': middle((one) => one.alone.aloneMicros) },
    ),
    budgetRow(
      'cluster heartbeat, time of the master over a single server',
      2,
      rounds.map((one) => one.cluster.serverMicros / one.alone.serverMicros),
      { 'master µs': middle((one) => one.cluster.serverMicros), 'replica µs': middle((one) => one.replicaMicros) },
    ),
    budgetRow(
      'cluster panic on a replica p50 over a heartbeat in the Cluster',
      4,
      rounds.map((one) => one.panicMicros / one.cluster.aloneMicros),
      { 'panic µs': middle((one) => one.panicMicros) },
    ),
  ];
}
