import { describe, expect, it } from 'vitest';
import { hostIdentity } from '../../src/host.js';
import { World } from '../tradingLease/fixture.js';

describe('trap 50: watchdog, worker and strategy in one process', () => {
  it('L4: a watchdog or a worker in the process of the holder does not count', async () => {
    for (const who of ['watchdog', 'worker'] as const) {
      const world = new World();
      Object.assign(world[who].beat, hostIdentity());
      const lease = await world.held();
      expect(lease.check(world.clock.monotonicMs(), 'increase')).toMatchObject({ code: 'lease_missing' });
      expect(lease.check(world.clock.monotonicMs(), 'increase')?.reason).toContain('on its own');
      await world.end(lease);
    }
  });

  it('L4: a watchdog and a worker that are one process count as one', async () => {
    const world = new World();
    Object.assign(world.worker.beat, { pid: world.watchdog.beat.pid });
    const lease = await world.held();
    expect(lease.state()).toMatchObject({ kind: 'missing', why: 'watchdog and exit worker are one process, and count as one' });
    await world.end(lease);
  });

  it('the same pid on another host or after another boot is another process', async () => {
    for (const elsewhere of [{ host: 'other' }, { bootId: 'other' }]) {
      const world = new World();
      Object.assign(world.worker.beat, { pid: world.watchdog.beat.pid, ...elsewhere });
      const lease = await world.held();
      expect(lease.state().kind).toBe('held');
      await world.end(lease);
    }
  });

  it('peersOn other-host: peers on the host of the holder do not count', async () => {
    const world = new World();
    Object.assign(world.worker.beat, { host: hostIdentity().host });
    const lease = await world.held({ peersOn: 'other-host' });
    expect(lease.state().kind).toBe('missing');
    await world.end(lease);
  });
});
