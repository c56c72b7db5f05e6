import { afterAll, beforeAll } from 'vitest';
import { openRedis } from '../../src/bus/redis/openRedis.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { busConformance } from './busConformance.js';

let redis: ClusterRedis;
beforeAll(async () => {
  redis = await ClusterRedis.start();
}, 60_000);
afterAll(() => redis.dispose());

let runs = 0;
busConformance(
  'a Redis Cluster',
  async () => {
    runs += 1;
    const prefix = `{run${runs}}:`;
    const master = await redis.masterOf(prefix);
    return {
      open: () => openRedis(redis.url(prefix)),
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
