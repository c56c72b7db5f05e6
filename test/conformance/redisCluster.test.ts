import { afterAll, beforeAll } from 'vitest';
import { openRedis } from '../../src/bus/redis/openRedis.js';
import { withFreshPrefix } from '../../src/bus/redis/target.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { RedisView } from '../../src/rig/redis/view.js';
import { busConformance } from './busConformance.js';

/** Shared by all tests, the servers stay; only the way to them ends. */
let view: RedisView;
let redis: ClusterRedis;
beforeAll(async () => {
  redis = await ClusterRedis.start();
  view = await RedisView.of(redis.url('{run0}:'));
}, 60_000);
afterAll(async () => {
  await view.close();
  await redis.dispose();
});

let runs = 0;
busConformance('a Redis Cluster', async () => {
  runs += 1;
  const prefix = `{run${runs}}:`;
  const master = await redis.masterOf(prefix);
  return {
    open: () => openRedis(withFreshPrefix(view.url, `run${runs}`)),
    corrupt: async (stream) => {
      await master.command('XADD', `${prefix}${stream}`, '*', 'v', 'bef0re', 'crc', '12345678');
    },
    spoilLatch: async (key) => {
      await master.command('HSET', `${prefix}${key}`, 'v', 'spoilt');
    },
    cutContact: async () => view.set({ kind: 'reset' }),
    dispose: async () => view.set({ kind: 'pass' }),
  };
});
