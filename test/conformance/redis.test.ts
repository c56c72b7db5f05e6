import { openRedis } from '../../src/bus/redis/openRedis.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { busConformance } from './busConformance.js';

busConformance('Redis', async () => {
  const server = await RedisServer.start();
  return {
    open: () => openRedis(server.url),
    corrupt: async (stream) => {
      await server.command('XADD', stream, '*', 'v', 'bef0re', 'crc', '12345678');
    },
    // As another program would write it, which knows nothing of versions and sums.
    spoilLatch: async (key) => {
      await server.command('HSET', key, 'v', 'spoilt');
    },
    cutContact: () => server.kill(),
    dispose: () => server.dispose(),
  };
});
