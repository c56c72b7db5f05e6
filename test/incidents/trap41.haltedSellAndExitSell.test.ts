import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { busSource } from '../../src/killSwitch/busSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { createTradingLease } from '../../src/tradingLease/lease.js';
import { halt } from '../../src/tradingState/halt.js';
import { beatAs } from '../support/beatingPeer.js';
import { eventually } from '../support/eventually.js';
import { createRedisScene, type RedisScene } from '../support/exitScene.js';
import { ACTIVE, World } from '../tradingLease/fixture.js';

describe('trap 41: a halted strategy sells while the exit worker sells', () => {
  it('trap 41: S10: the verified sell of a halted strategy is refused exit_in_progress while an exit is under way; cancels pass', async () => {
    const world = new World();
    const lease = await world.held();
    await halt(world.bus, { kind: 'manual', reason: 'look first', by: 'operator' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease, 'reduce')).toBe('exit_in_progress');
    expect(world.refusal(lease, 'increase')).toBe('trading_halted');
    expect(world.refusal(lease, 'cancel')).toBeUndefined();
    await world.end(lease);
  });

  it('trap 41: S10: it passes where the venue itself keeps a reduction from flipping a position', async () => {
    const world = new World();
    const lease = await world.held({ venueEnforcesReduceOnly: true });
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    await world.clock.advance(0);
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    expect(world.refusal(lease, 'increase')).toBe('trading_halted');
    await world.end(lease);
  });
});

describe('trap 41: a halted strategy and an exit worker on Redis', () => {
  let scene: RedisScene;
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).toReversed()) await step();
    await scene.end();
  });

  async function heldLease() {
    const peers = await scene.open();
    undo.push(beatAs('watchdog', peers), beatAs('worker', peers));
    // The venue caps nothing: what two of them sell flips the position.
    const lease = createTradingLease({ bus: await scene.open(), inflight: { inflight: () => 0, unknownOutcomes: () => 0 } });
    undo.push(() => lease.close());
    await eventually(() => lease.state().kind === 'held', { timeoutMs: 10_000 });
    return lease;
  }

  it('trap 41: S10: while the worker closes, the strategy may not sell, from before the first close on', async () => {
    scene = await createRedisScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected' });
    const lease = await heldLease();
    const answer = (intent: 'increase' | 'reduce' | 'cancel') => lease.check(systemClock.monotonicMs(), intent)?.code;
    await halt(scene.bus, { kind: 'manual', reason: 'look first', by: 'operator' });
    await eventually(() => answer('increase') === 'trading_halted');
    expect([answer('reduce'), answer('cancel')]).toEqual([undefined, undefined]);

    const atEachClose: unknown[] = [];
    await scene.worker({
      wrapBroker: (broker) => ({
        ...broker,
        submit: (order, signal) => {
          atEachClose.push([answer('reduce'), answer('cancel')]);
          return broker.submit(order, signal);
        },
      }),
    });
    await scene.panic();
    await scene.until(() => scene.venue.positions().size === 0, 12_000, 'an empty book');
    expect(atEachClose).toEqual([['exit_in_progress', undefined]]);
    expect(answer('reduce')).toBe('exit_in_progress');
  });
});

describe('trap 41: a strategy with a kill switch on the bus, and no lease', () => {
  it('trap 41: S10: its verified sell passes a halt, and is refused from the moment in which an exit is under way', async () => {
    const world = new World();
    await world.set(ACTIVE);
    const { clock } = world;
    const killSwitch = createKillSwitch({ sources: [busSource(world.link.bus)], clock });
    await clock.advance(0);
    const sell = guardOrderSubmission((quantity: number) => quantity, {
      gate: createShutdownGate({ clock }),
      killSwitch,
      intent: 'reduce',
      verifyReduce: (quantity) => ({ account: 'default', symbol: 'AAPL', side: 'sell', quantity, position: 10, positionAgeMs: 0 }),
    });
    await halt(world.bus, { kind: 'manual', reason: 'look first', by: 'operator' }, { clock });
    await clock.advance(0);
    expect(sell.trySubmit(1).ok).toBe(true);
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock });
    await clock.advance(0);
    expect(sell.trySubmit(1)).toMatchObject({ ok: false, code: 'exit_in_progress', reason: 'only the exit worker closes now: brain dead' });
    world.link.cut = true;
    await clock.advance(2_000);
    expect(sell.trySubmit(1)).toMatchObject({
      ok: false,
      code: 'kill_switch_enabled',
      reason: expect.stringContaining('an exit may be under way') as unknown,
    });
    const closed = killSwitch.close();
    await clock.advance(2_000);
    await closed;
  });
});
