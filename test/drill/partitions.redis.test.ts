/** The drill on real Redis servers: the same promises, and whoever is cut off from the bus. */
import { describe, expect, it } from 'vitest';
import { PARTITIONS } from '../../src/drill/options.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import { expectFlat } from './expectFlat.js';
import { runDrill } from './runDrill.js';

/** A partition must end before a suspended lease has become a halt, also on a busy machine. */
const PARTITION_SCALE = '3';

describe('the drill on Redis', () => {
  it('S1 S4 S5 S6 S9: a dead brain ends in a flat book', { timeout: 90_000 }, async () => {
    const run = await runDrill('--redis');
    expectFlat(run);
    expect(run.document.bus).toMatch(/^redis:\/\/127\.0\.0\.1:/);
    expect(run.document.flatVerdict).toBe('flat');
  });

  it.each(PARTITIONS)(
    'L4 S8: with the %s cut off trading stops by itself, nobody panics, and it comes back',
    { timeout: 90_000 },
    async (who) => {
      expectFlat(await runDrill('--redis', '--partition', who, '--scale', PARTITION_SCALE));
    },
  );

  it('L4 S8: on Sentinel, with the strategy cut off from sentinels and servers, the same', { timeout: 90_000 }, async () => {
    const redis = await SentinelRedis.start();
    try {
      expectFlat(await runDrill('--bus', redis.url, '--partition', 'strategy', '--scale', PARTITION_SCALE));
    } finally {
      await redis.dispose();
    }
  });

  it('L4 S8: in a Cluster, with the watchdog cut off from every node, the same', { timeout: 90_000 }, async () => {
    const cluster = await ClusterRedis.start();
    try {
      expectFlat(await runDrill('--bus', cluster.url('{drill}:'), '--partition', 'watchdog', '--scale', PARTITION_SCALE));
    } finally {
      await cluster.dispose();
    }
  });

  it.each([
    ['a journal', []],
    ['a sentinel elsewhere', ['--bus', 'redis+sentinel://127.0.0.1,192.0.2.1/mymaster']],
  ])('refuses to cut what is no connection to a Redis of this machine: %s', { timeout: 30_000 }, async (_what, bus) => {
    const run = await runDrill(...bus, '--partition', 'strategy');
    expect(run.code).toBe(2);
    expect(run.stderr.split('\n')[0]).toContain('partition = "strategy": must be used with --redis');
  });
});
