/** Reductions of a holder that cannot know whether an exit is under way: two closers could flip a position. */
import { describe, expect, it } from 'vitest';
import { halt } from '../../src/tradingState/halt.js';
import { ACTIVE, World } from './fixture.js';

describe('reductions while an exit may be under way', () => {
  it('S4, S10: a process that starts in the middle of an exit sells nothing before it is registered and has read the state', async () => {
    const world = new World();
    await world.set(ACTIVE);
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    world.startPeers();
    const lease = world.lease();
    expect(world.refusal(lease, 'reduce')).toBe('lease_expired');
    expect(world.refusal(lease, 'cancel')).toBeUndefined();
    await world.clock.advance(500);
    expect(world.refusal(lease, 'reduce')).toBe('exit_in_progress');
    await world.end(lease);
  });

  it('S4, S10: a holder that nobody could register sells nothing: no exit worker would wait for its orders', async () => {
    const world = new World();
    await world.set(ACTIVE);
    world.startPeers();
    const append = world.link.bus.append.bind(world.link.bus);
    world.link.bus.append = async (stream, fields, options) =>
      stream === 'trading_lease:holder' ? { outcome: 'unknown', detail: 'no answer' } : append(stream, fields, options);
    const lease = world.lease();
    await world.clock.advance(2_000);
    expect(world.refusal(lease, 'reduce')).toBe('lease_expired');
    await world.end(lease);
  });

  it('S4, S10: a partitioned holder sells nothing from ttlMs on: an exit worker waits for it no longer than that', async () => {
    const world = new World();
    const lease = await world.held();
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    world.link.cut = true;
    const cutMs = world.clock.monotonicMs();
    while (world.refusal(lease, 'reduce') === undefined && world.clock.monotonicMs() - cutMs < 5_000) await world.clock.advance(5);
    expect(world.clock.monotonicMs() - cutMs).toBeLessThanOrEqual(755);
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    await world.clock.advance(2_000);
    expect(world.refusal(lease, 'reduce')).toBe('lease_expired');
    expect(world.refusal(lease, 'cancel')).toBeUndefined();
    world.link.cut = false;
    await world.clock.advance(1_000);
    expect(world.refusal(lease, 'reduce')).toBe('exit_in_progress');
    await world.end(lease);
  });

  it('S4, S10, trap 49: a holder whose host was suspended sells nothing before it has read the state anew', async () => {
    const world = new World();
    const lease = await world.held();
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    const cutMs = world.clock.monotonicMs();
    world.link.cut = true;
    // The monotonic clock stood still meanwhile.
    world.clock.stepWall(3_600_000);
    await halt(world.bus, { kind: 'exit', reason: 'brain dead', by: 'worker', incident: 'default@1' }, { clock: world.clock });
    while (world.clock.monotonicMs() - cutMs < 1_000) {
      expect(world.refusal(lease, 'reduce')).toBe('lease_expired');
      await world.clock.advance(5);
    }
    world.link.cut = false;
    await world.clock.advance(1_000);
    expect(world.refusal(lease, 'reduce')).toBe('exit_in_progress');
    await world.end(lease);
  });

  it('S10: a lease that lapsed for want of a watchdog lets reductions pass: the state is known, and no exit is in it', async () => {
    const world = new World();
    const lease = await world.held();
    world.watchdog.alive = false;
    await world.clock.advance(3_000);
    expect(world.refusal(lease)).toBe('lease_expired');
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    await world.end(lease);
  });

  it('S10: where the venue itself keeps a reduction from flipping a position, no doubt holds one back', async () => {
    const world = new World();
    const lease = await world.held({ venueEnforcesReduceOnly: true });
    world.link.cut = true;
    await world.clock.advance(3_000);
    expect(world.refusal(lease)).toBe('lease_expired');
    expect(world.refusal(lease, 'reduce')).toBeUndefined();
    await world.end(lease);
  });
});
