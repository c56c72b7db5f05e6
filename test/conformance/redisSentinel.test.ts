import { afterAll, beforeAll } from 'vitest';
import { openRedis } from '../../src/bus/redis/openRedis.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import { busConformance } from './busConformance.js';

let redis: SentinelRedis;
beforeAll(async () => {
  redis = await SentinelRedis.start();
}, 30_000);
afterAll(() => redis.dispose());

let runs = 0;
busConformance(
  'Redis behind Sentinel',
  async () => {
    runs += 1;
    const prefix = `run${runs}:`;
    const master = await redis.master();
    return {
      open: () => openRedis(`${redis.url}?prefix=${prefix}`),
      corrupt: async (stream) => {
        await master.command('XADD', `${prefix}${stream}`, '*', 'v', 'bef0re', 'crc', '12345678');
      },
      spoilLatch: async (key) => {
        await master.command('HSET', `${prefix}${key}`, 'v', 'spoilt');
      },
      dispose: async () => {},
    };
  },
  // Shared by all of its tests, the servers stay; contact is lost in the tests of one server.
  { losesContact: false },
);
