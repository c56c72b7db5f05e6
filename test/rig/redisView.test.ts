/** A way of its own to a bus on Redis, which can be cut while everyone else goes on. */
import { afterEach, expect, it } from 'vitest';
import { openBus } from '../../src/bus/openBus.js';
import { RigError } from '../../src/rig/child.js';
import { SentinelRedis } from '../../src/rig/redis/sentinel.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { RedisView } from '../../src/rig/redis/view.js';
import { eventually } from '../support/eventually.js';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function kept<T>(making: Promise<T>, end: (made: T) => Promise<unknown>): Promise<T> {
  const made = await making;
  undo.push(() => end(made));
  return made;
}

it('cuts off whoever goes by it from one server and from Sentinel, nobody else, and lets them back', { timeout: 60_000 }, async () => {
  const server = await kept(RedisServer.start(), (one) => one.dispose());
  const sentinel = await kept(SentinelRedis.start({ config: { requirepass: 'secret' } }), (one) => one.dispose());
  for (const url of [server.url, sentinel.url.replace('//', '//:secret@')]) {
    const view = await kept(RedisView.of(url), (one) => one.close());
    const inside = await kept(openBus(view.url), (one) => one.close());
    const outside = await kept(openBus(url), (one) => one.close());
    await eventually(async () => (await inside.probe()).ok);
    view.set({ kind: 'stall' });
    expect(await inside.probe()).toMatchObject({ ok: false });
    expect(await outside.probe()).toMatchObject({ ok: true });
    view.set({ kind: 'pass' });
    await eventually(async () => (await inside.probe()).ok);
  }
});

it('refuses a bus that is not on this machine', async () => {
  const refused = RedisView.of('redis://192.0.2.1');
  await expect(refused).rejects.toThrow('192.0.2.1:6379 is not on this machine');
  await expect(refused).rejects.toBeInstanceOf(RigError);
});
