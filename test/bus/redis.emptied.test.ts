/** A server that is emptied under running parts (`FLUSHALL`, a key deleted by hand): it is the same server, and has forgotten all. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { encodeTradingState, NEVER_ARMED, TRADING_STATE } from '../../src/messages/tradingState.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { createTradingLease, type TradingLease } from '../../src/tradingLease/lease.js';
import { readHolders } from '../../src/tradingState/holders.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { beatAs } from '../support/beatingPeer.js';
import { eventually } from '../support/eventually.js';
import { createRedisScene } from '../support/exitScene.js';

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

it.each([
  ['lives on, at a venue that knows ids for ever', { killed: false, clientOrderIds: 'forever' }],
  ['is killed, at a venue that knows ids for ever', { killed: true, clientOrderIds: 'forever' }],
  ['lives on, at a venue that forgets ended orders', { killed: false, clientOrderIds: 'while_open' }],
  ['is killed, at a venue that forgets ended orders', { killed: true, clientOrderIds: 'while_open' }],
] as const)(
  'S4: a bus that is emptied while a close is in flight closes nothing twice: its worker %s',
  async (_who, { killed, clientOrderIds }) => {
    const scene = await createRedisScene();
    undo.push(() => scene.end());
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', clientOrderIds, orderExpiryMs: scene.ms(7_000) });
    const orderTransitMs = () => scene.ms(4_000);
    const workers = [await scene.worker({ orderTransitMs }), await scene.worker({ orderTransitMs })];
    await scene.pass(1_000);
    await scene.panic();
    const sender = await eventually(async () => (await scene.bus.read(CLOSE_ATTEMPTS, FROM_START)).records[0]?.fields['worker']);
    // Both look at the state several times in it.
    await scene.pass(1_000);
    await scene.server.command('FLUSHALL');
    if (killed) workers.find(({ id }) => id === sender)?.kill();
    for (let again = 1; again <= 4; again += 1) {
      await scene.panic({ eventId: `again-${again}` });
      await scene.pass(200);
    }
    await eventually(async () => (await scene.completions()).length > 0, { timeoutMs: 15_000 });
    const after = scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [event.positionAfter] : []));
    expect(after).toEqual([0]);
  },
);
