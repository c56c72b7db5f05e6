import { connectWithIoredis } from '../../src/bus/redis/ioredisSeam.js';
import { openRedis } from '../../src/bus/redis/openRedis.js';
import { busConformance } from './busConformance.js';

let runs = 0;
busConformance(
  'Redis',
  async () => {
    runs += 1;
    const prefix = `t${process.pid}-${runs}:`;
    const client = await connectWithIoredis({ host: '127.0.0.1', port: 7390 }, { tls: false, connectTimeoutMs: 1000, name: 'test' });
    return {
      open: () => openRedis(`redis://127.0.0.1:7390?prefix=${prefix}`),
      corrupt: async (stream) => {
        await client.send('XADD', [`${prefix}${stream}`, '*', 'v', 'bef0re', 'crc', '12345678']);
      },
      spoilLatch: async (key) => {
        await client.send('HSET', [`${prefix}${key}`, 'v', 'spoilt']);
      },
      dispose: async () => client.drop(),
    };
  },
  { losesContact: false },
);
