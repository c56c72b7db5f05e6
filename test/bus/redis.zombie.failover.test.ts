/** After a failover the master that was replaced goes on answering for a while: no connection of a handle may stay with it. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Bus, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import type { RedisServer } from '../../src/rig/redis/server.js';
import { eventually } from '../support/eventually.js';

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
}, 30_000);

async function open(url: string): Promise<Bus> {
  const bus = await openBus(url);
  undo.push(() => bus.close());
  return bus;
}

const roleOf = async (server: RedisServer): Promise<unknown> => server.info('role');

/** A handle that said nothing while its master stood still: all its connections lead to a master that has been replaced, and is awake. */
async function behindAZombie(): Promise<{ readonly pinned: Bus; readonly current: Bus; readonly zombie: RedisServer }> {
  const redis = await SentinelRedis.start();
  undo.push(() => redis.dispose());
  const pinned = await open(redis.url);
  await pinned.read('s', FROM_START, { blockMs: 10 });
  const zombie = await redis.master();
  await zombie.freeze();
  await redis.untilReplaced(zombie);
  await zombie.thaw();
  const current = await open(redis.url);
  const sent = () => current.append('s', { to: 'the new master' });
  await eventually(async () => (await sent()).outcome === 'committed', { timeoutMs: 10_000, everyMs: 50 });
  return { pinned, current, zombie };
}

describe('a master that was replaced, and does not know it', () => {
  it('failover: S6, S8: a write that it refuses moves the writer, and all that it reads, to the new master', {
    timeout: 60_000,
  }, async () => {
    const { pinned, zombie } = await behindAZombie();
    await eventually(async () => (await pinned.append('s', { to: 'whoever takes it' })).outcome === 'committed', { timeoutMs: 5_000 });
    expect(await roleOf(zombie)).toBe('master');
    for (const blockMs of [0, 10]) {
      const { records } = await eventually(() => pinned.read('s', FROM_START, { blockMs }).catch(() => undefined));
      expect(records.map(({ fields }) => fields['to'])).toEqual(['the new master', 'whoever takes it']);
    }
  });

  it('failover: S7, S8: a probe that it cannot prove moves all that is read to the new master', { timeout: 60_000 }, async () => {
    const { pinned, zombie } = await behindAZombie();
    await eventually(async () => (await pinned.probe()).ok, { timeoutMs: 5_000 });
    expect(await roleOf(zombie)).toBe('master');
    for (const blockMs of [0, 10]) {
      const { records } = await eventually(() => pinned.read('s', FROM_START, { blockMs }).catch(() => undefined));
      expect(records.map(({ fields }) => fields['to'])).toEqual(['the new master']);
    }
  });
});
