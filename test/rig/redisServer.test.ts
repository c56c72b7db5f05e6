/** Real servers, as the rig starts them. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { askRedis } from '../../src/rig/redis/resp.js';
import { RedisServer, type RedisServerOptions } from '../../src/rig/redis/server.js';

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
    server.signal('SIGSTOP');
    await expect(askRedis(systemClock, server.port, [['PING']], 150)).rejects.toThrow('no answer within 150 ms');
    server.signal('SIGCONT');
    expect(await server.command('PING')).toBe('PONG');
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
});
