/** A failover to a replica that has not seen a halt: its state reads ACTIVE, and trading must not resume. Real servers that elect a master. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import type { RedisServer } from '../../src/rig/redis/server.js';
import { createTradingLease, type TradingLease } from '../../src/tradingLease/lease.js';
import { halt } from '../../src/tradingState/halt.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { createWatchdog } from '../../src/watchdog/watchdog.js';
import { beatAs } from '../support/beatingPeer.js';
import { eventually } from '../support/eventually.js';
import { cutOffReplicas, EVERY_GROUP, type FailoverGroup, failOver, reassertions } from '../support/failoverGroup.js';
import { OrderDoor } from '../support/orderDoor.js';

const ACTIVE = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', accounts: ['default'], changedBy: 'operator', changedWallMs: 1 } as const;
/** A failover in which a replica had the halt all the same proves nothing: it is tried again with other servers, so often. */
const ATTEMPTS = 3;
/** For so long a master that wakes up is asked. */
const ZOMBIE_MS = 5_000;

const undo: (() => unknown)[] = [];
async function takeDown(): Promise<void> {
  for (const step of undo.splice(0).toReversed()) await step();
}
afterEach(takeDown, 60_000);

async function open(url: string): Promise<Bus> {
  const bus = await openBus(url);
  undo.push(() => bus.close());
  return bus;
}

async function startGroup(start: () => Promise<FailoverGroup>): Promise<{ readonly group: FailoverGroup; readonly operator: Bus }> {
  const group = await start();
  undo.push(() => group.dispose());
  const operator = await open(group.url);
  expect(await operator.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE))).toEqual({ outcome: 'committed', version: 1 });
  return { group, operator };
}

async function heldLease(url: string): Promise<TradingLease> {
  undo.push(beatAs('worker', await open(url)));
  // A failover may take longer than a lease may come back by itself; here that must not be what stops it.
  const lease = createTradingLease({ bus: await open(url), require: ['exit-worker'], suspendMaxMs: 60_000 });
  undo.push(() => lease.close());
  await eventually(() => lease.state().kind === 'held', { timeoutMs: 10_000 });
  return lease;
}

function openDoor(lease: TradingLease): OrderDoor {
  const door = new OrderDoor(lease);
  undo.push(() => door.close());
  return door;
}

interface Forgotten {
  readonly group: FailoverGroup;
  readonly operator: Bus;
  readonly door: OrderDoor;
  readonly promoted: RedisServer;
}

/** A halt that the master alone has seen, and a failover. Undefined: a replica had it as well. */
async function forgetHalt(start: () => Promise<FailoverGroup>): Promise<Forgotten | undefined> {
  const { group, operator } = await startGroup(start);
  const watchdog = createWatchdog({ bus: await open(group.url), watchdogId: 'wd' });
  void watchdog.run();
  undo.push(() => watchdog.close());
  const lease = await heldLease(group.url);
  const master = await group.master();
  const replicas = await cutOffReplicas(group, master);
  const stopped = await halt(operator, { kind: 'manual', reason: 'test', by: 'operator', id: 'h1' });
  expect(stopped).toMatchObject({ outcome: 'committed', version: 2 });
  await eventually(() => lease.state().kind === 'halted');
  await eventually(() => watchdog.status().epoch === 1);
  const door = openDoor(lease);
  const promoted = await failOver(group, master, replicas);
  if (promoted === undefined) return undefined;
  await group.giveReplica(promoted, master);
  return { group, operator, door, promoted };
}

async function haltForgotten(start: () => Promise<FailoverGroup>): Promise<Forgotten> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const forgotten = await forgetHalt(start);
    if (forgotten !== undefined) return forgotten;
    await takeDown();
  }
  throw new Error(`in ${ATTEMPTS} failovers a replica had the halt all the same`);
}

/** Tries to write a latch on a master that wakes up, for as long as it may take itself for one. */
async function tryLatches(bus: Bus): Promise<readonly string[]> {
  const sure: string[] = [];
  const untilMs = systemClock.monotonicMs() + ZOMBIE_MS;
  for (let attempt = 1; systemClock.monotonicMs() < untilMs; attempt += 1) {
    const name = `zombie:${attempt}`;
    const set = await bus.latch(name).compareAndSet(0, { v: 'x' });
    if (set.outcome === 'committed' && set.unreplicated === undefined) sure.push(name);
    await systemClock.sleep(5);
  }
  return sure;
}

describe.each(EVERY_GROUP)('trap 45: failover by %s', (_name, start) => {
  it('trap 45: S7: failover: nobody resumes trading, whoever remembers the halt adds it again, and the audit says so', {
    timeout: 120_000,
  }, async () => {
    const { group, operator, door, promoted } = await haltForgotten(start);
    await eventually(async () => (await group.fieldOf(promoted, TRADING_STATE, 'halted')) === 'true', { timeoutMs: 30_000 });
    const reading = await eventually(() => readTradingState(operator), { timeoutMs: 10_000 });
    expect(reading.state).toMatchObject({ mode: 'HALTED', epoch: 1, halts: [{ id: 'h1' }] });
    const told = await eventually(
      async () => {
        const entries = await reassertions(operator, 'h1');
        return entries.length > 0 && entries;
      },
      { timeoutMs: 10_000 },
    );
    for (const { actor } of told) expect(actor).toMatch(/^(watchdog:wd|lease:.+)$/);
    await eventually(() => door.asked > 50);
    expect(door.permitted).toBe(0);
  });

  it('trap 45: S7: failover: a master that was replaced grants nothing when it wakes up: no lease, no latch, no probe', {
    timeout: 120_000,
  }, async () => {
    const { group, operator } = await startGroup(start);
    const master = await group.master();
    const directUrl = group.directUrl(master);
    const lease = await heldLease(directUrl);
    const direct = await open(directUrl);
    const others = await group.isolate(master);
    await master.freeze();
    await eventually(() => lease.state().kind !== 'held');
    const door = openDoor(lease);
    const promoted = await group.untilReplaced(master);
    // Written by the rig where no replica is left to confirm it: what the old master says is ACTIVE is over.
    await promoted.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await eventually(async () => (await halt(operator, { kind: 'manual', reason: 'test', by: 'operator' })).outcome === 'committed', {
      timeoutMs: 20_000,
    });
    await promoted.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    const asked = door.asked;
    // It wakes up alone: nobody tells it that it was replaced, and only what it cannot show keeps it from granting.
    for (const other of others) await other.freeze();
    await master.thaw();
    const sure = await tryLatches(direct);
    expect((await direct.probe()).ok, 'a probe was proved by the master that was replaced').toBe(false);
    for (const other of others) await other.thaw();
    for (const name of sure) {
      expect(await group.fieldOf(promoted, name, 'v'), `${name} was granted by the master that was replaced`).toBe('x');
    }
    expect(door.asked - asked).toBeGreaterThan(50);
    expect(door.permitted).toBe(0);
  });
});
