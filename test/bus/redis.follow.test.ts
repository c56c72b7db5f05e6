/** Where one address leads to another server from one moment on, as behind a name or a load balancer, no connection of a handle stays behind. */
import { afterEach, expect, it } from 'vitest';
import { FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { RedisServer } from '../../src/rig/redis/server.js';
import { TcpProxy } from '../../src/rig/tcpProxy.js';
import { eventually } from '../support/eventually.js';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function start(): Promise<RedisServer> {
  const server = await RedisServer.start();
  undo.push(() => server.dispose());
  return server;
}

/** Names of the connections that a bus holds on a server. */
async function linksOn(server: RedisServer): Promise<readonly string[]> {
  const list = String(await server.command('CLIENT', 'LIST'));
  return [...list.matchAll(/ name=failflat-(\S+)/g)].map(([, name = '']) => name).toSorted();
}

it('S7: S8: failover: every connection follows the first that was led elsewhere, though no configuration bears a number', async () => {
  const [before, after] = [await start(), await start()];
  const proxy = await TcpProxy.start(before.port);
  undo.push(() => proxy.close());
  const bus = await openBus(`redis://127.0.0.1:${proxy.port}`);
  undo.push(() => bus.close());
  await bus.read('s', FROM_START, { blockMs: 10 });
  const links = ['commands', 'probe', 'reader-1', 'sure-writes'];
  expect(await linksOn(before)).toEqual(links);
  proxy.retarget(after.port);
  const probe = String(await before.command('CLIENT', 'LIST'))
    .split('\n')
    .find((line) => line.includes('name=failflat-probe'));
  await before.command('CLIENT', 'KILL', 'ID', /^id=(\d+)/.exec(probe ?? '')?.[1] ?? '');
  await eventually(async () => (await linksOn(after)).length === links.length);
  expect([await linksOn(before), await linksOn(after)]).toEqual([[], links]);
  expect(await bus.probe()).toMatchObject({ ok: true });
});
