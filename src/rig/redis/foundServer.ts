/** A Redis server that somebody else started on this machine, known by the address at which it serves a bus. */
import { readFile } from 'node:fs/promises';
import type { RedisAddress } from '../../bus/redis/address.js';
import { infoOf } from '../../bus/redis/dialling.js';
import { locateMaster } from '../../bus/redis/locate.js';
import { parseRedisUrl } from '../../bus/redis/target.js';
import { RigError } from '../child.js';
import { askServer, rigDialling } from './asking.js';

export class FoundServer {
  readonly pid: number;
  readonly address: RedisAddress;

  private constructor(pid: number, address: RedisAddress) {
    this.pid = pid;
    this.address = address;
  }

  /** The one that takes the writes of this bus now. Throws {@link RigError} where its process is not surely on this machine. */
  static async masterOf(busUrl: string): Promise<FoundServer> {
    const target = parseRedisUrl(busUrl);
    const dialling = rigDialling(target);
    const { address } = await locateMaster(dialling);
    const info = infoOf(await askServer(dialling, address, target.credentials, (server) => server.send('INFO', ['server'])));
    const pid = Number(info.get('process_id'));
    await checkIsThisServer(pid, address);
    return new FoundServer(pid, address);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }
}

/** In a container of its own, or behind a forwarded port, the same number names another process here: it must not be struck. */
async function checkIsThisServer(pid: number, { host, port }: RedisAddress): Promise<void> {
  const shown = `the process ${pid} of the Redis server ${host}:${port}`;
  const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (title === undefined) throw new RigError(`${shown} is not on this machine, or the system does not show it`);
  if (!/^[^\0]*(redis|valkey)/.test(title) || !title.includes(String(port))) {
    throw new RigError(`${shown} is ${JSON.stringify(title.split('\0')[0])} on this machine, not that server`);
  }
}
