/**
 * Where servers are reached that sentinels and nodes name by addresses of another network: behind network address
 * translation, in containers, through tunnels.
 */
import { addressFrom, type Fail, inUrl, nameOf, type RedisAddress } from './address.js';

/** By the name of the address that is announced. */
export type NatMap = ReadonlyMap<string, RedisAddress>;

export const NO_NAT: NatMap = new Map();

/** `announced=reached,…`, each a host with a port. */
export function natMapFrom(text: string, fail: Fail): NatMap {
  const map = new Map<string, RedisAddress>();
  for (const pair of text.split(',')) {
    const [announced, reached, ...more] = pair.split('=');
    if (announced === undefined || reached === undefined || more.length > 0)
      return fail('natMap: must be announced:port=reached:port, …', pair);
    const name = nameOf(addressFrom(announced, undefined, fail));
    if (map.has(name)) fail(`natMap: must give ${name} once`);
    map.set(name, addressFrom(reached, undefined, fail));
  }
  return map;
}

export function natMapInUrl(pairs: readonly (readonly [announced: RedisAddress, reached: RedisAddress])[]): string {
  return pairs.map(([announced, reached]) => `${inUrl(announced)}=${inUrl(reached)}`).join(',');
}

/** Of an address that a sentinel or a node has named. */
export function reachedAt(natMap: NatMap, announced: RedisAddress): RedisAddress {
  return natMap.get(nameOf(announced)) ?? announced;
}
