import { describe, expect, it } from 'vitest';
import { readTradingState } from '../../src/tradingState/read.js';
import { World } from '../tradingLease/fixture.js';

const HOUR_MS = 3_600_000;

describe('trap 49: a suspended host, whose monotonic clock stood still', () => {
  it('L4: a lease from before the suspension permits nothing hours later, before anything else runs', async () => {
    const world = new World();
    const lease = await world.held();
    expect(world.refusal(lease)).toBeUndefined();
    world.clock.stepWall(3 * HOUR_MS);
    expect(world.refusal(lease)).toBe('lease_expired');
    expect(world.refusal(lease, 'reduce')).toBe('lease_expired');
    await world.end(lease);
  });

  it('L4: after it everyone must prove anew that they are alive', async () => {
    const world = new World();
    const lease = await world.held();
    world.watchdog.alive = false;
    world.clock.stepWall(3 * HOUR_MS);
    await world.clock.advance(450);
    expect(world.refusal(lease)).toBe('lease_expired');
    await world.end(lease);
  });

  it('S8: a step of the wall clock in either direction costs one renewal, and no halt', async () => {
    for (const stepMs of [HOUR_MS, -HOUR_MS]) {
      const world = new World();
      const lease = await world.held();
      world.clock.stepWall(stepMs);
      expect(world.refusal(lease)).toBe('lease_expired');
      await world.clock.advance(750);
      expect(world.refusal(lease)).toBeUndefined();
      await world.clock.advance(12_000);
      expect((await readTradingState(world.bus)).state.halts).toEqual([]);
      await world.end(lease);
    }
  });

  it('a drift within the tolerance costs nothing', async () => {
    const world = new World();
    const lease = await world.held();
    world.clock.stepWall(240);
    expect(world.refusal(lease)).toBeUndefined();
    await world.end(lease);
  });
});
