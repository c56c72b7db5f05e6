/** A real Cluster, as the rig starts it. */
import { afterEach, describe, expect, it } from 'vitest';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';

let redis: ClusterRedis | undefined;
afterEach(() => redis?.dispose());

describe('a Redis Cluster of the rig', () => {
  it('is whole with a replica in step for each master, and replaces a master that is killed', async () => {
    redis = await ClusterRedis.start();
    const key = '{failflat}:halt';
    const master = await redis.masterOf(key);
    expect(redis.url('{failflat}:')).toContain(`127.0.0.1:${master.port}`);
    expect(await master.command('SET', key, '1')).toBe('OK');
    expect(await master.command('WAIT', 1, 2_000)).toBe(1);
    for (const server of redis.servers) expect(String(await server.command('CLUSTER', 'INFO'))).toContain('cluster_slots_ok:16384');

    await master.kill();
    const next = await redis.untilReplaced(key, master);
    expect(next.port).not.toBe(master.port);
    expect(await next.command('GET', key)).toBe('1');
  });
});
