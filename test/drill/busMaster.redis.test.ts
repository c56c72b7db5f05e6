/** The drill on real Redis servers of which one, the master, is killed or frozen. */
import { describe, expect, it } from 'vitest';
import { SIGNALS } from '../../src/drill/options.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import { expectFlat } from './expectFlat.js';
import { runDrill } from './runDrill.js';

/** A server must be back before a suspended lease has become a halt, also on a busy machine. */
const RESTART_SCALE = '3';

describe('the drill that strikes its Redis master', () => {
  it('L4 S7 S8: with its server killed and started again trading stops by itself, nobody panics, and it comes back', {
    timeout: 90_000,
  }, async () => {
    expectFlat(await runDrill('--redis', '--kill', 'bus-master', '--scale', RESTART_SCALE));
  });

  it.each(SIGNALS)(
    'L4 S7 S8: on Sentinel, %s to the master stops trading, nobody panics, and it goes on after the failover',
    { timeout: 180_000 },
    async (signal) => {
      const redis = await SentinelRedis.start();
      try {
        const master = await redis.master();
        expectFlat(await runDrill('--bus', redis.url, '--kill', 'bus-master', '--signal', signal, '--scale', '1'));
        expect((await redis.master()).port).not.toBe(master.port);
      } finally {
        await redis.dispose();
      }
    },
  );

  it('L4 S7 S8: in a Cluster, a master that stands still is replaced, and trading goes on when it follows the new one', {
    timeout: 180_000,
  }, async () => {
    const cluster = await ClusterRedis.start();
    try {
      const url = cluster.url('{drill}:');
      expectFlat(await runDrill('--bus', url, '--kill', 'bus-master', '--signal', 'SIGSTOP', '--scale', '1'));
    } finally {
      await cluster.dispose();
    }
  });

  it('refuses to strike a server that nobody would bring back', { timeout: 30_000 }, async () => {
    const run = await runDrill('--bus', 'redis://127.0.0.1:6379', '--kill', 'bus-master');
    expect(run.code).toBe(2);
    expect(run.stderr.split('\n')[0]).toContain('kill = "bus-master": must be used with --redis');
  });
});
