/** Real servers, as the rig starts them. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { askRedis } from '../../src/rig/redis/resp.js';
import { RedisServer, type RedisServerOptions } from '../../src/rig/redis/server.js';
import { TestChild } from '../support/childProcess.js';
import { eventually } from '../support/eventually.js';

const servers: RedisServer[] = [];
const start = async (options?: RedisServerOptions) => {
  const server = await RedisServer.start(options);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.dispose();
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    // Nobody has this id any more.
    return false;
  }
};

describe('a Redis server of the rig', () => {
  it('answers, by texts, numbers, lists, nothing and refusals', async () => {
    const server = await start();
    expect(await server.command('SET', 'a', 'ä\r\nb')).toBe('OK');
    expect(await server.command('GET', 'a')).toBe('ä\r\nb');
    expect(await server.command('GET', 'none')).toBeNull();
    expect(
      await server.commands([
        ['RPUSH', 'l', 1, 2],
        ['LRANGE', 'l', 0, -1],
      ]),
    ).toEqual(['1', '2']);
    await expect(server.command('XADD', 'a', '*', 'f', 'v')).rejects.toThrow('WRONGTYPE');
    expect(await server.info('role')).toBe('master');
  });

  it('keeps or loses its data over a restart, as it is told', async () => {
    const kept = await start({ config: { appendonly: 'yes' } });
    const lost = await start();
    for (const server of [kept, lost]) {
      await server.command('SET', 'halt', '1');
      await server.restart();
    }
    expect(await kept.command('GET', 'halt')).toBe('1');
    expect(await lost.command('GET', 'halt')).toBeNull();
    await kept.restart({ keepData: false });
    expect(await kept.command('GET', 'halt')).toBeNull();
  });

  it('stands still and goes on', async () => {
    const server = await start();
    await server.freeze();
    await expect(askRedis(systemClock, server.port, [['PING']], 150)).rejects.toThrow('no answer within 150 ms');
    await server.thaw();
    expect(await server.command('PING')).toBe('PONG');
  });

  it('ends also while it stands still', async () => {
    const server = await start();
    await server.freeze();
    await server.kill();
    expect(server.end?.signal).toBe('SIGKILL');
  });

  it('gets no signal after it has ended by itself, when its process id may be another’s', async () => {
    const server = await start();
    await server.command('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    await eventually(() => server.end !== undefined);
    expect(server.end).toMatchObject({ code: 0, signal: null });
    expect(() => server.signal('SIGKILL')).toThrow(`redis-server on port ${server.port} does not run`);
    await server.kill();
    await server.restart();
    expect(await server.command('PING')).toBe('PONG');
  });

  it('is not taken for another server on its port', async () => {
    const server = await start();
    await server.kill();
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write('+PONG\r\n'));
    });
    other.listen(server.port, '127.0.0.1');
    await once(other, 'listening');
    await expect(server.restart()).rejects.toThrow(/is not ready: it ended \(code 1, signal null\)\n(.*\n)*.*Address already in use/);
    await new Promise((resolve) => other.close(resolve));
    await server.restart();
    expect(await server.command('PING')).toBe('PONG');
  });

  it('says at once, and in its own words, that a setting cannot hold', async () => {
    await expect(start({ config: { 'maxmemory-policy': 'none' } })).rejects.toThrow(
      /it ended \(code 1, signal null\)\n(.*\n)*.*maxmemory-policy/,
    );
  });

  it('wants its password, also of the rig', async () => {
    const server = await start({ config: { requirepass: 'secret' } });
    await expect(askRedis(systemClock, server.port, [['PING']])).rejects.toThrow('NOAUTH');
    expect(await server.command('PING')).toBe('PONG');
  });

  it('leaves neither process nor directory behind', async () => {
    const server = await start();
    const { pid, directory } = server;
    await server.dispose();
    // Its keeper is gone before the system has taken the dead server down.
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
    expect(existsSync(directory)).toBe(false);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('does not outlive a process that ended by %s, nor does its directory', async (signal) => {
    const holder = TestChild.node(new URL('../fixtures/rig/holdServer.mjs', import.meta.url));
    const said = await holder.line(/^\{/);
    const { port, directory } = JSON.parse(said) as { port: number; directory: string };
    expect(await askRedis(systemClock, port, [['PING']])).toBe('PONG');
    holder.signal(signal);
    await holder.end();
    await eventually(() => !existsSync(directory));
    // Not by its id: an orphan may stay in the list of processes until somebody collects it.
    const answer = () =>
      askRedis(systemClock, port, [['PING']]).then(
        () => 'answers',
        (error: unknown) => String(error),
      );
    await eventually(async () => (await answer()).includes('ECONNREFUSED'));
  });
});
