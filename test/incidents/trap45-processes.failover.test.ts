/** A failover that forgets a halt, under a whole system of real processes: who sends orders, who watches, who closes, and the venue. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createVenueClient, type VenueClient } from '../../src/brokers/paper/index.js';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { LEASE_HOLDER } from '../../src/messages/holder.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { ordersFrom } from '../../src/rig/books.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { documentOf, Workspace } from '../cli/cli.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';
import { cutOffReplicas, EVERY_GROUP, type FailoverGroup, failOver, reassertions } from '../support/failoverGroup.js';

const STRATEGY = new URL('../fixtures/incidents/strategy.mjs', import.meta.url);
const STRATEGIES = 2;
const ACTIVE = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', accounts: ['default'], changedBy: 'operator', changedWallMs: 1 } as const;
const LEASE = { ttlMs: 750, peerLivenessMs: 500, suspendMaxMs: 60_000, drainPollMs: 50 };
/** A failover in which a replica had the halt all the same proves nothing: it is tried again with other servers, so often. */
const ATTEMPTS = 3;

const undo: (() => unknown)[] = [];
async function takeDown(): Promise<void> {
  for (const step of undo.splice(0).toReversed()) await step();
}
afterEach(takeDown, 60_000);

interface System {
  readonly group: FailoverGroup;
  readonly workspace: Workspace;
  readonly venue: VenueClient;
  readonly operator: Bus;
  readonly memoryFile: string;
  /** The venue's own count of the orders that strategies have sent. */
  readonly orders: () => Promise<number>;
}

/** A venue, an exit brain, a watchdog, an exit worker and two strategies, each a process of its own, all trading. */
async function startSystem(start: () => Promise<FailoverGroup>): Promise<System> {
  const group = await start();
  undo.push(() => group.dispose());
  const workspace = new Workspace();
  undo.push(() => workspace.remove());
  const operator = await openBus(group.url);
  undo.push(() => operator.close());
  expect(await operator.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE))).toEqual({ outcome: 'committed', version: 1 });
  const { ready } = await workspace.role(['venue']);
  const url = ready.url ?? '';
  const venue = createVenueClient(url);
  undo.push(() => venue.close());
  const memoryFile = workspace.path('watchdog.json');
  const bus = ['--bus', group.url];
  await Promise.all([
    workspace.role(['watchdog', ...bus, '--id', 'wd', '--memory-file', memoryFile]),
    workspace.role(['exit-worker', ...bus, '--id', 'ew', '--broker', `paper:${url}`]),
    workspace.role(['exit-brain', ...bus, '--broker', `paper:${url}`]),
  ]);
  const config = { bus: group.url, venue: url, account: 'default', symbols: ['AAPL'], quantity: 10, ordersPerS: 20, restingEvery: 0 };
  for (let index = 0; index < STRATEGIES; index += 1) {
    const record = `journal:${workspace.path(`orders-${index}`)}`;
    const child = TestChild.node(STRATEGY, JSON.stringify({ ...config, record, brokerTimeoutMs: 2_000, lease: LEASE }));
    undo.push(() => child.kill());
    await child.line('ready');
  }
  const sent = async () => ordersFrom((await venue.evidence()).events, 'default', (source) => source === 'strategy');
  await eventually(async () => new Set((await sent()).map(({ clientOrderId }) => clientOrderId?.split('-')[1])).size === STRATEGIES, {
    timeoutMs: 20_000,
    everyMs: 50,
  });
  return { group, workspace, venue, operator, memoryFile, orders: async () => (await sent()).length };
}

/** Waits until the venue has had no order for a while; gives their number. */
async function untilQuiet(orders: () => Promise<number>): Promise<number> {
  let [count, sinceMs] = [-1, 0];
  return eventually(async () => {
    const now = await orders();
    if (now !== count) [count, sinceMs] = [now, systemClock.monotonicMs()];
    return systemClock.monotonicMs() - sinceMs >= 500 ? count : undefined;
  });
}

/** How often holders have registered: each does again where the bus has become another one. */
async function registrations(bus: Bus): Promise<number> {
  const { records } = await bus.read(LEASE_HOLDER, FROM_START, { limit: 10_000 });
  return records.filter(({ fields }) => fields['event'] === 'registered').length;
}

interface HaltedSystem extends System {
  readonly promoted: Awaited<ReturnType<FailoverGroup['master']>>;
  readonly ordersBefore: number;
  readonly registeredBefore: number;
}

/** Halted by an operator whose process has ended; then a failover to servers that have not seen it. Undefined: they had. */
async function forgetHalt(system: System): Promise<HaltedSystem | undefined> {
  const { group, workspace, operator, memoryFile, orders } = system;
  const registeredBefore = await registrations(operator);
  const master = await group.master();
  const replicas = await cutOffReplicas(group, master);
  const halted = await workspace.run(['halt', '--bus', group.url, '--json', '--id', 'h1', '--reason', 'test']);
  expect({ code: halted.code, ...documentOf(halted) }).toMatchObject({ code: 0, outcome: 'committed', haltId: 'h1', epoch: 1 });
  await eventually(() => existsSync(memoryFile) && readFileSync(memoryFile, 'utf8').includes('"h1"'));
  const ordersBefore = await untilQuiet(orders);
  const promoted = await failOver(group, master, replicas);
  if (promoted === undefined) return undefined;
  await group.giveReplica(promoted, master);
  return { ...system, promoted, ordersBefore, registeredBefore };
}

async function haltForgotten(start: () => Promise<FailoverGroup>): Promise<HaltedSystem> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const halted = await forgetHalt(await startSystem(start));
    if (halted !== undefined) return halted;
    await takeDown();
  }
  throw new Error(`in ${ATTEMPTS} failovers a replica had the halt all the same`);
}

describe.each(EVERY_GROUP)('trap 45: failover by %s', (_name, start) => {
  it('trap 45: S7: failover: no process resumes trading, whoever remembers the halt adds it again, and the audit says so', {
    timeout: 240_000,
  }, async () => {
    const { group, promoted, operator, orders, ordersBefore, registeredBefore } = await haltForgotten(start);
    await eventually(async () => (await group.fieldOf(promoted, TRADING_STATE, 'halted')) === 'true', { timeoutMs: 30_000 });
    const { state } = await eventually(() => readTradingState(operator), { timeoutMs: 10_000 });
    expect(state.mode).toBe('HALTED');
    expect(state.halts.map(({ id }) => id)).toContain('h1');
    const told = await eventually(
      async () => {
        const entries = await reassertions(operator, 'h1');
        return entries.length > 0 && entries;
      },
      { timeoutMs: 10_000 },
    );
    for (const { actor } of told) expect(actor).toMatch(/^(watchdog:wd|ew|lease:.+)$/);

    // Each strategy has found the new server, and has stood on it for longer than a lease needs to be renewed.
    await eventually(async () => (await registrations(operator)) >= registeredBefore + STRATEGIES, { timeoutMs: 30_000 });
    await systemClock.sleep(2 * LEASE.ttlMs);
    expect(await orders(), 'orders after the halt').toBe(ordersBefore);

    // They only waited for leave: armed by a person, they trade again.
    await eventually(
      async () => {
        const { version } = await readTradingState(operator);
        return (
          (await operator.latch(TRADING_STATE).compareAndSet(version, encodeTradingState({ ...ACTIVE, epoch: 2 }))).outcome === 'committed'
        );
      },
      { timeoutMs: 30_000 },
    );
    await eventually(async () => (await orders()) > ordersBefore, { timeoutMs: 30_000, everyMs: 50 });
  });
});
