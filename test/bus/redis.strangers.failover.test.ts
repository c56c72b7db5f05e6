/** A Cluster lives longer than the nodes that a URL names: who once reached it finds it by the nodes that others named. */
import { afterEach, expect, it } from 'vitest';
import { openBus } from '../../src/bus/openBus.js';
import { ClusterRedis } from '../../src/rig/redis/cluster.js';
import { eventually } from '../support/eventually.js';

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
}, 30_000);

it('failover: S6: a bus whose URL names no node that still lives follows the failover of its master', { timeout: 60_000 }, async () => {
  // What is proved is who is asked: a master without a second replica would refuse to be written to.
  const cluster = await ClusterRedis.start({ config: { 'min-replicas-to-write': '0' } });
  undo.push(() => cluster.dispose());
  const prefix = '{desk}:';
  const master = await cluster.masterOf(prefix);
  const ofAnother = await cluster.replicaOfAnother(master);
  const bus = await openBus(`redis+cluster://127.0.0.1:${ofAnother.port}?prefix=${prefix}`);
  undo.push(() => bus.close());
  expect(await bus.append('s', { to: 'the first master' })).toMatchObject({ outcome: 'committed' });
  await ofAnother.kill();
  await master.kill();
  const next = await cluster.untilReplaced(prefix, master);
  await eventually(async () => (await bus.append('s', { to: 'its replica' })).outcome === 'committed', { timeoutMs: 10_000 });
  expect(await next.command('XLEN', `${prefix}s`)).toBeGreaterThan(0);
});
