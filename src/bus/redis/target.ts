/** What a Redis URL names: where the servers are, who connects, and under which prefix the keys stand. */
import { ConfigurationError } from '../../errors.js';
import { withoutSecrets } from '../withoutSecrets.js';
import { addressFrom, type Fail, inUrl, type RedisAddress } from './address.js';
import { type NatMap, NO_NAT, natMapFrom, natMapInUrl } from './natMap.js';

export type RedisPlace =
  | { readonly kind: 'server'; readonly address: RedisAddress }
  /** The master that the sentinels name now. */
  | { readonly kind: 'sentinel'; readonly sentinels: readonly RedisAddress[]; readonly master: string }
  /** The master of the slot that the key prefix falls into. */
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] };

export interface RedisCredentials {
  readonly username?: string;
  readonly password?: string;
}

export interface RedisTarget {
  /** As people may see it: without secrets. */
  readonly url: string;
  readonly place: RedisPlace;
  readonly tls: boolean;
  readonly credentials: RedisCredentials;
  readonly sentinelCredentials: RedisCredentials;
  readonly db: number;
  /** Stands before every key. */
  readonly prefix: string;
  /** Where the servers are reached that sentinels and nodes name; empty: where they say. */
  readonly natMap: NatMap;
}

const DEFAULT_PORT = { server: 6_379, sentinel: 26_379, cluster: 6_379 } as const;
const PARAMETERS = ['prefix', 'natMap', 'sentinelUsername', 'sentinelPassword'] as const;
export const isRedisUrl = (url: string): boolean => /^rediss?(\+(sentinel|cluster))?:/.test(url);

const FORM = 'redis[s]://[user:password@]host:port[/db], redis[s]+sentinel://…,…/master[/db], redis[s]+cluster://…,…?prefix={tag}:';

/** Throws ConfigurationError (field `bus`) naming the part that cannot hold. */
export function parseRedisUrl(url: string): RedisTarget {
  const shown = withoutSecrets(url);
  const fail = (bound: string, part = ''): never => {
    // A part of the URL is named only where it cannot be one of a password.
    throw new ConfigurationError('bus', shown, part !== '' && shown.includes(part) ? `${JSON.stringify(part)}: ${bound}` : bound);
  };
  const match = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(url);
  if (match === null) return fail(`must have the form ${FORM}`);
  const [, scheme, topology = 'server', login = '', hosts = '', path = '', query = ''] = match;
  if (`${hosts}${path}`.includes('@')) fail('user and password must be percent-encoded: @ is %40, / is %2F, ? is %3F, # is %23');
  const kind = topology === 'sentinel' || topology === 'cluster' ? topology : 'server';
  const addresses = hosts.split(',').map((host) => addressFrom(host, DEFAULT_PORT[kind], fail));
  const parameters = parametersFrom(query, fail);
  const segments = path.split('/').filter((segment) => segment !== '');
  const master = kind === 'sentinel' ? decode(segments.shift() ?? fail('must name the master: …/master'), fail) : '';
  if (segments.length > 1) fail(`the path must hold no more than ${kind === 'sentinel' ? 'master and ' : ''}a database number`, path);
  const db = databaseFrom(segments[0], kind, fail);
  const [first, ...others] = addresses;
  if (first === undefined) return fail('must name a host');
  if (kind === 'server' && others.length > 0) fail('must name one host; several belong to redis+sentinel:// or redis+cluster://');
  const prefix = parameters.get('prefix') ?? '';
  if (kind === 'cluster' && hashTagOf(prefix) === undefined) {
    fail('must give a key prefix with a hash tag, for example ?prefix={failflat}: – a script may touch keys of one slot only');
  }
  const translated = parameters.get('natMap');
  if (kind === 'server' && translated !== undefined)
    fail('natMap: must be used with redis+sentinel:// or redis+cluster://; one server is reached at the address of the URL');
  return {
    url: shown,
    place: placeOf(kind, first, addresses, master),
    tls: scheme === 'rediss',
    credentials: credentialsFrom(login, fail),
    sentinelCredentials: pair(parameters.get('sentinelUsername'), parameters.get('sentinelPassword'), fail),
    db,
    prefix,
    natMap: translated === undefined ? NO_NAT : natMapFrom(translated, fail),
  };
}

/** The servers that the URL itself names. */
export function addressesOf({ place }: RedisTarget): readonly RedisAddress[] {
  if (place.kind === 'server') return [place.address];
  return place.kind === 'sentinel' ? place.sentinels : place.nodes;
}

/** The same place with another prefix; a Cluster's keeps a hash tag. */
export function withFreshPrefix(url: string, name: string): string {
  const { place } = parseRedisUrl(url);
  const [base = url, query = ''] = url.split('?');
  const others = query.split('&').filter((part) => part !== '' && !part.startsWith('prefix='));
  const prefix = encodeURIComponent(place.kind === 'cluster' ? `{${name}}:` : `${name}:`);
  return `${base}?${[...others, `prefix=${prefix}`].join('&')}`;
}

/** The same bus, reached at other addresses: those that the URL names, and those that its servers announce. */
export function reachedBy(
  url: string,
  addresses: readonly RedisAddress[],
  natPairs: readonly (readonly [announced: RedisAddress, reached: RedisAddress])[],
): string {
  const [base = url, query = ''] = url.split('?');
  const parts = query.split('&').filter((part) => part !== '' && !part.startsWith('natMap='));
  if (natPairs.length > 0) parts.push(`natMap=${natMapInUrl(natPairs)}`);
  const place = base.replace(
    /^(rediss?(?:\+\w+)?:\/\/(?:[^@/]*@)?)[^/]*/,
    (_all, before: string) => before + addresses.map(inUrl).join(','),
  );
  return parts.length === 0 ? place : `${place}?${parts.join('&')}`;
}

/** The part of a key that decides its slot, if it has one. */
export function hashTagOf(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : undefined;
}

function placeOf(kind: RedisPlace['kind'], first: RedisAddress, all: readonly RedisAddress[], master: string): RedisPlace {
  if (kind === 'sentinel') return { kind, sentinels: all, master };
  return kind === 'cluster' ? { kind, nodes: all } : { kind, address: first };
}

function parametersFrom(query: string, fail: Fail): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const [name = '', ...value] = part.split('=');
    if (!PARAMETERS.some((known) => known === name)) fail(`each parameter must be one of ${PARAMETERS.join(', ')}`);
    parameters.set(name, decode(value.join('='), fail));
  }
  return parameters;
}

function databaseFrom(text: string | undefined, kind: RedisPlace['kind'], fail: Fail): number {
  if (text === undefined) return 0;
  const db = /^\d{1,5}$/.test(text) ? Number(text) : fail('the database must be a number', text);
  if (kind === 'cluster' && db !== 0) fail(`database ${db}: must be 0, a Cluster has no other`);
  return db;
}

function credentialsFrom(login: string, fail: Fail): RedisCredentials {
  if (login === '') return {};
  const [username = '', ...password] = login.split(':');
  return pair(decode(username, fail), password.length === 0 ? undefined : decode(password.join(':'), fail), fail);
}

function pair(username: string | undefined, password: string | undefined, fail: Fail): RedisCredentials {
  if (username !== undefined && username !== '' && password === undefined)
    fail('a user needs a password, or it would not be who connects (user: and nothing behind it, where the user has none)');
  return {
    ...(username === undefined || username === '' ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

function decode(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('a part of it is not percent-encoded as a URL must be');
  }
}
