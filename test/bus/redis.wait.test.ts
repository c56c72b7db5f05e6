/** What waits for a replica must wait on the connection that wrote: another one may lead to another master, whose replicas never had the write. */
import { afterEach, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { connectWithIoredis } from '../../src/bus/redis/ioredisSeam.js';
import { assembleRedis } from '../../src/bus/redis/openRedis.js';
import type { Connect } from '../../src/bus/redis/seam.js';
import { parseRedisUrl } from '../../src/bus/redis/target.js';
import { systemClock } from '../../src/clock.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { eventually } from '../support/eventually.js';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** Between the answer to a write and the WAIT that follows it, the connection is lost and another one is made. */
function losingBeforeWait(lose: () => boolean): Connect {
  let introduced = 0;
  return async (address, options) => {
    const connection = await connectWithIoredis(address, options);
    return {
      ended: connection.ended,
      drop: () => connection.drop(),
      async send(command, args) {
        const answer = await connection.send(command, args);
        // The last question that a new connection is asked before it is used.
        if (command === 'TIME') introduced += 1;
        if (command.startsWith('EVAL') && lose()) {
          const before = introduced;
          connection.drop();
          await eventually(() => introduced > before);
          // Its link takes it over in the same turn in which that answer comes.
          await systemClock.sleep(20);
        }
        return answer;
      },
    };
  };
}

async function replicatedMaster(): Promise<RedisServer> {
  const master = await RedisServer.start({ config: { 'repl-ping-replica-period': '1' } });
  undo.push(() => master.dispose());
  const replica = await RedisServer.start({ config: { replicaof: `127.0.0.1 ${master.port}` } });
  undo.push(() => replica.dispose());
  await eventually(async () => String(await master.command('INFO', 'replication')).includes('state=online'), { timeoutMs: 10_000 });
  return master;
}

async function open(master: RedisServer, lose: () => boolean): Promise<Bus> {
  const bus = await assembleRedis(parseRedisUrl(master.url), {}, losingBeforeWait(lose));
  undo.push(() => bus.close());
  return bus;
}

it('trap 45: a panic, a halt and a probe are not confirmed by a connection that did not write them', { timeout: 30_000 }, async () => {
  const master = await replicatedMaster();
  let losing = false;
  const bus = await open(master, () => losing);
  // A replica that has just come needs a moment before it confirms anything.
  await eventually(async () => (await bus.append(PANIC_CLOSE, { v: '1' })).outcome === 'committed');
  expect(await bus.latch('state').compareAndSet(0, { v: '1' })).toEqual({ outcome: 'committed', version: 1 });
  expect(await bus.probe()).toMatchObject({ ok: true });
  // The replica is in step all the while: only the connection says that nobody can know of which write it speaks.
  losing = true;
  expect(await bus.append(PANIC_CLOSE, { v: '2' }, { timeoutMs: 2_000 })).toMatchObject({ outcome: 'committed_unreplicated' });
  await eventually(async () => {
    const set = await bus.latch('state').compareAndSet(1, { v: '2' });
    if (set.outcome === 'refused') return false;
    expect(set.outcome === 'committed' ? set.unreplicated : undefined).toContain('another connection');
    return true;
  });
  expect(await bus.probe()).toMatchObject({ ok: false });
  losing = false;
  await eventually(async () => (await bus.append(PANIC_CLOSE, { v: '3' })).outcome === 'committed');
});
