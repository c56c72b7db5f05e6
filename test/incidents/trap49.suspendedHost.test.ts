import { describe, expect, it } from 'vitest';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { ManualClock } from '../../src/testing/manualClock.js';
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

describe('trap 49: a kill switch that was read before the host was suspended', () => {
  it.each([3 * HOUR_MS, -3 * HOUR_MS])(
    'S3: with the wall clock %d ms away it halts before anything else runs, until it is read again',
    async (stepMs) => {
      const clock = new ManualClock();
      let halted = false;
      const killSwitch = createKillSwitch({ sources: [functionSource(() => halted, { name: 'desk' })], clock });
      await clock.advance(50);
      expect(killSwitch.isHalted()).toBe(false);
      // Somebody threw the switch meanwhile; this host has slept through it.
      halted = true;
      clock.stepWall(stepMs);
      expect(killSwitch.isHalted()).toBe(true);
      expect(killSwitch.check(clock.monotonicMs(), 'increase')).toMatchObject({
        code: 'kill_switch_enabled',
        reason: expect.stringContaining('the host was suspended') as unknown,
      });
      expect(() => killSwitch.requireOff('order')).toThrow('the host was suspended');
      await clock.advance(100);
      expect(killSwitch.state().reason).toBe('function:desk says halted');
      halted = false;
      await clock.advance(100);
      expect(killSwitch.isHalted()).toBe(false);
      await killSwitch.close();
    },
  );
});
