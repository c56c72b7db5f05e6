/** What can be wrong at the start with a Redis bus: one clear line each, and no waiting for what cannot come. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { BusUnavailableError, BusUnsuitableError, FROM_START } from '../../src/bus/bus.js';
import { openBus } from '../../src/bus/openBus.js';
import { createRedisBus } from '../../src/bus/redis/index.js';
import { reachedAt } from '../../src/bus/redis/natMap.js';
import { slotOf } from '../../src/bus/redis/slot.js';
import { checkServer } from '../../src/bus/redis/suitability.js';
import { parseRedisUrl, reachedBy, withFreshPrefix } from '../../src/bus/redis/target.js';
import { ConfigurationError } from '../../src/errors.js';
import { RedisServer, type RedisServerOptions } from '../../src/rig/redis/server.js';
import { eventually } from '../support/eventually.js';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  undo.push(() => server.dispose());
  return server;
}

const refusal = async (url: string): Promise<Error> => {
  const error = await openBus(url).catch((reason: unknown) => reason);
  if (!(error instanceof Error)) throw new Error('it was opened');
  expect(error.message).not.toContain('\n');
  return error;
};

describe('a Redis bus at the start', () => {
  it('names a server that is not there', async () => {
    const server = await start();
    await server.kill();
    const error = await refusal(server.url);
    expect(error).toBeInstanceOf(BusUnavailableError);
    expect(error.message).toContain('ECONNREFUSED');
    // Once in the URL, once before the problem, and once in what the system says.
    expect(error.message.split(`127.0.0.1:${server.port}`)).toHaveLength(4);
  });

  it('names a password that is missing or wrong, and does not show it', async () => {
    const server = await start({ config: { requirepass: 'secret' } });
    for (const [url, words] of [
      [server.url, 'NOAUTH'],
      [`redis://:hunter2@127.0.0.1:${server.port}`, 'WRONGPASS'],
      [`redis://nobody:hunter2@127.0.0.1:${server.port}`, 'WRONGPASS'],
    ] as const) {
      const error = await refusal(url);
      expect(error).toBeInstanceOf(BusUnsuitableError);
      expect(error.message).toContain(words);
      expect(error.message).not.toContain('hunter2');
    }
    const bus = await openBus(`redis://:secret@127.0.0.1:${server.port}`);
    undo.push(() => bus.close());
    expect(bus.url).not.toContain('secret');
    expect(await bus.probe()).toMatchObject({ ok: true });
  });

  it('does not show a password that the server repeats, or that it hangs up on', async () => {
    const renamed = await start({ config: { requirepass: 'hunter2', 'rename-command': 'AUTH other' } });
    const url = `redis://:hunter2@127.0.0.1:${renamed.port}`;
    expect(inspect(await refusal(url), { depth: 9 })).not.toContain('hunter2');
    const rude = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.destroy()));
    await once(rude.listen(0, '127.0.0.1'), 'listening');
    undo.push(() => rude.close());
    const address = rude.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    expect(inspect(await refusal(`redis://:hunter2@127.0.0.1:${address.port}`), { depth: 9 })).not.toContain('hunter2');
  });

  it('names TLS where the server speaks none', async () => {
    const server = await start();
    const warnings = heardWarnings();
    expect((await refusal(`rediss://127.0.0.1:${server.port}`)).message).toMatch(/TLS|SSL|wrong version|ECONNRESET/i);
    // An address is no name that a TLS client may ask for: Node would warn of it.
    expect(warnings).toEqual([]);
  });

  it('names TLS where the server speaks nothing else, and silence where it says nothing', async () => {
    // As a TLS server does with what is no handshake: it waits for more.
    const silent = createServer((socket) => socket.on('error', () => {}));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    undo.push(() => silent.close());
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const error = await refusal(`redis://127.0.0.1:${address.port}`);
    expect(error.message).toMatch(/rediss:\/\/|no connection within/);
  });

  it('S7: refuses a server that could evict a halt', async () => {
    const server = await start({ config: { 'maxmemory-policy': 'allkeys-lru' } });
    const error = await refusal(server.url);
    expect(error).toBeInstanceOf(BusUnsuitableError);
    expect(error.message).toContain('maxmemory-policy = allkeys-lru: must be noeviction');
    expect((await openBus((await start({ config: { 'maxmemory-policy': 'volatile-lru' } })).url)).close()).toBeDefined();
  });

  it('refuses a node of a Cluster under the URL of one server, and a Cluster without a hash tag', async () => {
    const server = await start({ config: { 'cluster-enabled': 'yes' }, cluster: true });
    expect((await refusal(server.url)).message).toContain('redis+cluster://');
    const error = await refusal(`redis+cluster://127.0.0.1:${server.port}?prefix=desk:`);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toContain('hash tag');
  });

  it('refuses a server that is too old', () => {
    const target = parseRedisUrl('redis://localhost');
    const info = (version: string) => new Map([['redis_version', version]]);
    expect(() => checkServer(info('6.0.16'), target)).toThrow('Redis 6.0.16: must be 6.2 or newer');
    expect(() => checkServer(info('5.0.14'), target)).toThrow('must be 6.2');
    for (const version of ['6.2.0', '7.0.15', '8.2.1']) expect(() => checkServer(info(version), target)).not.toThrow();
  });
});

describe('a client that is handed in', () => {
  const safe = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, commandTimeout: 500 };

  it.each([
    [{ enableOfflineQueue: true }, 'client.enableOfflineQueue = true'],
    [{ autoResendUnfulfilledCommands: true }, 'client.autoResendUnfulfilledCommands = true'],
    [{ maxRetriesPerRequest: 20 }, 'client.maxRetriesPerRequest = 20'],
    [{ commandTimeout: undefined }, 'client.commandTimeout = undefined'],
    [{ keyPrefix: 'x:' }, 'client.keyPrefix = "x:"'],
    [{ enableAutoPipelining: true }, 'client.enableAutoPipelining = true'],
  ])('is refused with %o, with the reason', async (unsafe, words) => {
    const client = new Redis({ lazyConnect: true, ...safe, ...unsafe });
    undo.push(() => client.disconnect());
    await expect(createRedisBus({ client })).rejects.toThrow(words);
    await expect(createRedisBus({ client })).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('is refused as it comes: its defaults queue and resend', async () => {
    const client = new Redis({ lazyConnect: true });
    undo.push(() => client.disconnect());
    await expect(createRedisBus({ client })).rejects.toThrow('must be false: queued heartbeats would land late');
  });

  it('carries no timer of its own into a read that waits: its silence would pass for an answer', async () => {
    const server = await start();
    const own = { blockingTimeout: 100, socketTimeout: 300 };
    const client = new Redis({ host: '127.0.0.1', port: server.port, lazyConnect: true, ...safe, ...own });
    undo.push(() => client.disconnect());
    const bus = await createRedisBus({ client });
    undo.push(() => bus.close());
    const before = (await bus.read('s', FROM_START, { blockMs: 10 })).contactMs;
    await server.freeze();
    await expect(bus.read('s', FROM_START, { blockMs: 500 })).rejects.toThrow('no answer to XREAD');
    await server.thaw();
    expect(before).toBeGreaterThan(0);
  });

  it('carries a bus with its own login, and is left as it was', async () => {
    const server = await start({ config: { requirepass: 'secret' } });
    const client = new Redis({ host: '127.0.0.1', port: server.port, password: 'secret', lazyConnect: true, ...safe });
    undo.push(() => client.disconnect());
    const bus = await createRedisBus({ client, prefix: 'mine:' });
    undo.push(() => bus.close());
    expect(await bus.append('s', { v: '1' })).toMatchObject({ outcome: 'committed' });
    expect((await bus.read('s', FROM_START, { blockMs: 50 })).records).toHaveLength(1);
    expect(await server.command('EXISTS', 'mine:s')).toBe(1);
    expect(client.status).toBe('wait');
  });
});

describe('the parts of a Redis URL', () => {
  it('are kept apart, percent-decoded, with defaults', () => {
    expect(parseRedisUrl('rediss://u%40x:p%3Aw@[::1]:7000/3?prefix=a%3A')).toMatchObject({
      place: { kind: 'server', address: { host: '::1', port: 7_000 } },
      tls: true,
      credentials: { username: 'u@x', password: 'p:w' },
      db: 3,
      prefix: 'a:',
    });
    expect(parseRedisUrl('redis+sentinel://a,b:1/m/2?sentinelPassword=s')).toMatchObject({
      place: {
        kind: 'sentinel',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
        ],
        master: 'm',
      },
      sentinelCredentials: { password: 's' },
      db: 2,
    });
    expect(parseRedisUrl('redis://:secret@h?sentinelPassword=s').url).not.toMatch(/secret|=s/);
  });

  it('say where servers are reached that are named by addresses of another network', () => {
    const { natMap } = parseRedisUrl('redis+sentinel://s/m?natMap=10.0.0.1:6379=Bastion:7001,[fd00::1]:6379=[::1]:7002');
    expect(reachedAt(natMap, { host: '10.0.0.1', port: 6_379 })).toEqual({ host: 'Bastion', port: 7_001 });
    expect(reachedAt(natMap, { host: 'FD00::1', port: 6_379 })).toEqual({ host: '::1', port: 7_002 });
    const other = { host: '10.0.0.1', port: 6_380 };
    expect(reachedAt(natMap, other)).toBe(other);
  });

  it.each([
    ['redis+sentinel://s/m?natMap=10.0.0.1:6379', 'must be announced:port=reached:port'],
    ['redis+sentinel://s/m?natMap=a:1=b:2=c:3', 'must be announced:port=reached:port'],
    ['redis+sentinel://s/m?natMap=', 'must be announced:port=reached:port'],
    ['redis+cluster://s?prefix={a}:&natMap=a=b:1', '"a": each host must be a name or an address, with a port'],
    ['redis+cluster://s?prefix={a}:&natMap=a:1=b:70000', 'port 70000: must be between 1 and 65535'],
    ['redis+sentinel://s/m?natMap=a:1=b:1,A:1=b:2', 'must give a:1 once'],
    ['redis://s?natMap=a:1=b:1', 'must be used with redis+sentinel:// or redis+cluster://'],
  ])('are refused as %s', (url, words) => {
    expect(() => parseRedisUrl(url)).toThrow(words);
    expect(() => parseRedisUrl(url)).toThrow(ConfigurationError);
  });

  it('can be changed without touching the others', () => {
    expect(parseRedisUrl(reachedBy('redis://u:p@host:1/2?prefix=x:', [{ host: '::1', port: 9 }], []))).toMatchObject({
      place: { address: { host: '::1', port: 9 } },
      credentials: { username: 'u', password: 'p' },
      db: 2,
      prefix: 'x:',
    });
    const [announced, reached] = [
      { host: 'A', port: 6_379 },
      { host: '::1', port: 2 },
    ];
    const before = 'rediss+sentinel://:$1@s,t/m/2?natMap=b:1=c:2&sentinelPassword=p';
    expect(parseRedisUrl(reachedBy(before, [{ host: 'u', port: 3 }], [[announced, reached]]))).toMatchObject({
      place: { kind: 'sentinel', sentinels: [{ host: 'u', port: 3 }], master: 'm' },
      tls: true,
      credentials: { password: '$1' },
      sentinelCredentials: { password: 'p' },
      db: 2,
      natMap: new Map([['a:6379', reached]]),
    });
    expect(parseRedisUrl(withFreshPrefix('redis://h/1?prefix=x:', 'drill')).prefix).toBe('drill:');
    expect(parseRedisUrl(withFreshPrefix('redis+cluster://h?prefix={a}:', 'drill')).prefix).toBe('{drill}:');
  });

  it('put a key into the slot that a Cluster puts it into', async () => {
    // Values of the specification and of a server.
    expect(slotOf('123456789')).toBe(0x31c3);
    const server = await start({ config: { 'cluster-enabled': 'yes' }, cluster: true });
    for (const key of ['{failflat}:x', 'exit_brain:heartbeat', 'a{b}c', '{}x', 'ä'])
      expect(slotOf(key), key).toBe(await server.command('CLUSTER', 'KEYSLOT', key));
  });
});

/** The names of what Node warns of from now on. */
function heardWarnings(): readonly string[] {
  const warnings: string[] = [];
  const hear = (warning: Error) => warnings.push(warning.name);
  process.on('warning', hear);
  undo.push(() => process.off('warning', hear));
  return warnings;
}

it('S13: many calls that a frozen server leaves without an answer are no leak that Node would warn an operator of', async () => {
  const server = await start();
  const bus = await openBus(server.url);
  undo.push(() => bus.close());
  const warnings = heardWarnings();
  await server.freeze();
  const calls = Array.from({ length: 30 }, (_, n) => bus.append('s', { n: String(n) }, { timeoutMs: 100 }));
  expect(new Set((await Promise.all(calls)).map(({ outcome }) => outcome))).toEqual(new Set(['unknown']));
  // A warning comes in a later turn than what it is about.
  await server.thaw();
  await eventually(async () => (await bus.append('s', { n: 'after' })).outcome === 'committed', { timeoutMs: 10_000 });
  expect(warnings).toEqual([]);
});

it('S13: many reads that wait on one bus are no leak that Node would warn an operator of', async () => {
  const server = await start();
  const bus = await openBus(server.url);
  undo.push(() => bus.close());
  const warnings = heardWarnings();
  const waits = Array.from({ length: 15 }, (_, n) => bus.read(`s${n}`, FROM_START, { blockMs: 300 }));
  await Promise.all(waits);
  expect(warnings).toEqual([]);
});

it.each([
  ['a sentinel', (port: number) => `redis+sentinel://127.0.0.1:${port}/mymaster`],
  ['a node of a Cluster', (port: number) => `redis+cluster://127.0.0.1:${port}?prefix={x}:`],
])('S13: %s that stands still is hung up on: no connection to it is left, which would keep the process alive', async (_who, urlAt) => {
  const silent = createServer();
  const open = new Set<unknown>();
  let met = 0;
  silent.on('connection', (socket) => {
    met += 1;
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    // What has been read to its end is closed; what is sent is never answered.
    socket.resume();
  });
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  undo.push(() => silent.close());
  const address = silent.address();
  const error = await refusal(urlAt(typeof address === 'object' && address !== null ? address.port : 0));
  expect(error.message).toContain('does not answer');
  expect(met).toBeGreaterThan(0);
  await eventually(() => open.size === 0);
});
