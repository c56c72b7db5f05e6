import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createTradingLease } from '../../src/tradingLease/lease.js';
import { halt } from '../../src/tradingState/halt.js';
import { beatAs } from '../support/beatingPeer.js';
import { eventually } from '../support/eventually.js';
import { createRedisScene, type RedisScene } from '../support/exitScene.js';
import { World } from '../tradingLease/fixture.js';

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
