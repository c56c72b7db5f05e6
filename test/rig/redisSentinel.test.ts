/** Real sentinels, as the rig starts them. */
import { afterEach, describe, expect, it } from 'vitest';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import { eventually } from '../support/eventually.js';

let redis: SentinelRedis | undefined;
afterEach(() => redis?.dispose());

describe('a Redis behind sentinels', () => {
  it('is master and replicas in step, with a password as well, and its sentinels replace a master that is killed', async () => {
    redis = await SentinelRedis.start({ config: { requirepass: 'secret' } });
    const [first] = redis.servers;
    const master = await redis.master();
    expect(master).toBe(first);
    expect(redis.url).toBe(`redis+sentinel://${redis.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mymaster`);
    expect(await master.command('SET', 'halt', '1')).toBe('OK');
    expect(await master.command('WAIT', 2, 2_000)).toBe(2);

    await master.kill();
    const next = await redis.untilReplaced(master);
    expect(await redis.masterPort()).toBe(next.port);
    await eventually(async () => (await next.info('role')) === 'master');
    expect(await next.command('GET', 'halt')).toBe('1');
  });
});
