/** A server that is emptied under running parts (`FLUSHALL`, a key deleted by hand): it is the same server, and has forgotten all. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { createTradingLease, type TradingLease } from '../../src/tradingLease/lease.js';
import { readHolders } from '../../src/tradingState/holders.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { beatAs } from '../support/beatingPeer.js';
import { eventually } from '../support/eventually.js';

const ACTIVE = { ...NEVER_ARMED, epoch: 1, mode: 'ACTIVE', accounts: ['default'], changedBy: 'operator', changedWallMs: 1 } as const;

const undo: (() => unknown)[] = [];
let server: RedisServer;
let operator: Bus;

async function open(): Promise<Bus> {
  const bus = await openBus(server.url);
  undo.push(() => bus.close());
  return bus;
}

beforeEach(async () => {
  server = await RedisServer.start();
  undo.push(() => server.dispose());
  operator = await open();
  expect(await operator.latch(TRADING_STATE).compareAndSet(0, encodeTradingState(ACTIVE))).toMatchObject({ outcome: 'committed' });
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function heldLease(): Promise<TradingLease> {
  undo.push(beatAs('worker', await open()));
  const inflight = { inflight: () => 1, unknownOutcomes: () => 0 };
  const lease = createTradingLease({ bus: await open(), require: ['exit-worker'], inflight, closeTimeoutMs: 1 });
  undo.push(() => lease.close());
  await eventually(() => lease.state().kind === 'held', { timeoutMs: 10_000 });
  return lease;
}

it('S5: a holder whose bus has forgotten it says again that it is there: its orders would be waited for by nobody', async () => {
  const lease = await heldLease();
  await server.command('FLUSHALL');
  await eventually(async () => (await readTradingState(operator)).state.halts.length > 0);
  expect(lease.state().kind).toBe('halted');
  const standing = await eventually(async () => (await readHolders(operator)).standings.get(lease.holderId)?.attestedEpoch);
  expect(standing).toBe(1);
});
