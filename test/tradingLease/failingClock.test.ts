/** A clock of the user's that throws: the lease lapses by itself, and neither ends the process nor stays lapsed once the clock is right again. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { World } from './fixture.js';

describe('a clock that throws', () => {
  it.each(['monotonicMs', 'wallMs'] as const)(
    'S3, S13: whose %s fails for a while costs the lease that while, and no more',
    async (reading) => {
      const world = new World();
      let broken = false;
      const read = (which: 'monotonicMs' | 'wallMs') => (): number => {
        if (broken && which === reading) throw new Error('no clock');
        return world.clock[which]();
      };
      const clock: Clock = {
        monotonicMs: read('monotonicMs'),
        wallMs: read('wallMs'),
        setTimer: (delayMs, fire) => world.clock.setTimer(delayMs, fire),
        sleep: (delayMs, signal) => world.clock.sleep(delayMs, signal),
      };
      const lease = await world.held({ clock });
      expect(world.refusal(lease)).toBeUndefined();
      broken = true;
      await world.clock.advance(2_000);
      expect(world.refusal(lease)).toBe('lease_expired');
      broken = false;
      await world.clock.advance(2_000);
      expect(world.refusal(lease)).toBeUndefined();
      await world.end(lease);
    },
  );
});
