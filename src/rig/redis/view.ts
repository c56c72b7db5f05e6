/** One process's own way to a bus on Redis: a proxy before every server that it may come to, so that it alone can be cut off. */
import { inUrl, isLoopback, type RedisAddress } from '../../bus/redis/address.js';
import { clusterNodesOf } from '../../bus/redis/clusterNodes.js';
import { reachedAt } from '../../bus/redis/natMap.js';
import { addressesOf, parseRedisUrl, type RedisTarget, reachedBy } from '../../bus/redis/target.js';
import { listOf } from '../../bus/redis/wire.js';
import { type Clock, systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { RigError } from '../child.js';
import { type ProxyMode, TcpProxy } from '../tcpProxy.js';
import { askServer, rigDialling } from './asking.js';

export class RedisView {
  /** The bus as this view shows it. */
  readonly url: string;
  readonly #proxies: readonly TcpProxy[];

  private constructor(url: string, proxies: readonly TcpProxy[]) {
    this.url = url;
    this.#proxies = proxies;
  }

  /** Of the servers that the bus has now; one that joins it later stands behind no proxy. Throws {@link RigError} where one is not on this machine. */
  static async of(busUrl: string, clock: Clock = systemClock): Promise<RedisView> {
    const target = parseRedisUrl(busUrl);
    const asked = addressesOf(target);
    const announced = await announcedServers(target);
    const reached = [...asked, ...announced.map((address) => reachedAt(target.natMap, address))];
    const strange = reached.find((address) => !isLoopback(address));
    if (strange !== undefined) throw new RigError(`${inUrl(strange)} is not on this machine: nobody can be cut off from it`);
    const proxies = await startAll(reached, clock);
    const places = proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
    const through = places.slice(asked.length);
    const pairs = announced.flatMap((address, index) => {
      const place = through[index];
      return place === undefined ? [] : [[address, place] as const];
    });
    return new RedisView(reachedBy(busUrl, places.slice(0, asked.length), pairs), proxies);
  }

  /** Connections that stand now. */
  get connections(): number {
    return this.#proxies.reduce((sum, proxy) => sum + proxy.connections, 0);
  }

  get ports(): readonly number[] {
    return this.#proxies.map(({ port }) => port);
  }

  /** In force before every server when it returns. */
  set(mode: ProxyMode): void {
    for (const proxy of this.#proxies) proxy.set(mode);
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}

/** All or none: a proxy that listens for nobody would keep the process alive. */
async function startAll(addresses: readonly RedisAddress[], clock: Clock): Promise<readonly TcpProxy[]> {
  const started = await Promise.allSettled(addresses.map(({ port }) => TcpProxy.start(port, clock)));
  const proxies = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed === undefined) return proxies;
  await Promise.all(proxies.map((proxy) => proxy.close()));
  throw new RigError(messageOf(failed.reason), { cause: failed.reason });
}

/** Every server that may be named as the one to go to, now or after a failover. */
async function announcedServers(target: RedisTarget): Promise<readonly RedisAddress[]> {
  const { place, credentials, sentinelCredentials } = target;
  if (place.kind === 'server') return [];
  const dialling = rigDialling(target);
  const problems: string[] = [];
  for (const address of addressesOf(target)) {
    try {
      if (place.kind === 'cluster') {
        const nodes = await askServer(dialling, address, credentials, (node) => node.send('CLUSTER', ['NODES']));
        return clusterNodesOf(nodes).map((node) => node.address);
      }
      return await askServer(dialling, address, sentinelCredentials, async (sentinel) => {
        const replicas = listOf(await sentinel.send('SENTINEL', ['REPLICAS', place.master]));
        return [await sentinel.send('SENTINEL', ['MASTER', place.master]), ...replicas].map(addressIn);
      });
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  throw new RigError(`nobody says which servers hold the bus: ${problems.join('; ')}`);
}

/** What a sentinel says of a server: names and values in turn. */
function addressIn(facts: unknown): RedisAddress {
  const words = listOf(facts).map(String);
  const valueOf = (name: string) => words[words.indexOf(name) + 1] ?? '';
  return { host: valueOf('ip'), port: Number(valueOf('port')) };
}
