/** What a server must be like before anything is kept on it: each refusal is one line that says what to change. */
import { BusUnsuitableError } from '../bus.js';
import type { RedisTarget } from './target.js';

/** `XADD … MINID` and `XAUTOCLAIM` came with it. */
const OLDEST = [6, 2] as const;

export function checkServer(info: ReadonlyMap<string, string>, target: RedisTarget): void {
  const { url, place } = target;
  const version = info.get('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new BusUnsuitableError(`${url}: Redis ${version}: must be ${OLDEST.join('.')} or newer`);
  const evicting = evictionOf(info);
  if (evicting !== undefined) throw new BusUnsuitableError(`${url}: ${evicting}`);
  const isCluster = info.get('cluster_enabled') === '1';
  if (isCluster && place.kind !== 'cluster')
    throw new BusUnsuitableError(`${url}: the server is a node of a Cluster: use redis+cluster://…?prefix={tag}:`);
}

/** Why a server may drop what must be kept; undefined: it will not. */
export function evictionOf(info: ReadonlyMap<string, string>): string | undefined {
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (!policy.startsWith('allkeys')) return undefined;
  return `maxmemory-policy = ${policy}: must be noeviction (or volatile-…), or a halt could be evicted when memory is short`;
}
