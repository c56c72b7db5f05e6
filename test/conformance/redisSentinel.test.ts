import { afterAll, beforeAll } from 'vitest';
import { openRedis } from '../../src/bus/redis/openRedis.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import { RedisView } from '../../src/rig/redis/view.js';
import { busConformance } from './busConformance.js';

/** Shared by all tests, the servers stay; only the way to them ends. */
let view: RedisView;
let redis: SentinelRedis;
beforeAll(async () => {
  redis = await SentinelRedis.start();
  view = await RedisView.of(redis.url);
}, 30_000);
afterAll(async () => {
  await view.close();
  await redis.dispose();
});

let runs = 0;
busConformance('Redis behind Sentinel', async () => {
  runs += 1;
  const prefix = `run${runs}:`;
  const master = await redis.master();
  return {
    open: () => openRedis(`${view.url}&prefix=${prefix}`),
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
