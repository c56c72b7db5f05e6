/** What a Redis URL names: where the servers are, who connects, and under which prefix the keys stand. */
import { ConfigurationError } from '../../errors.js';
import { withoutSecrets } from '../withoutSecrets.js';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

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
}

const DEFAULT_PORT = { server: 6_379, sentinel: 26_379, cluster: 6_379 } as const;
const PARAMETERS = ['prefix', 'sentinelUsername', 'sentinelPassword'] as const;
export const isRedisUrl = (url: string): boolean => /^rediss?(\+(sentinel|cluster))?:/.test(url);

const FORM = 'redis[s]://[user:password@]host:port[/db], redis[s]+sentinel://…,…/master[/db], redis[s]+cluster://…,…?prefix={tag}:';

/** Throws ConfigurationError (field `bus`) naming the part that cannot hold. */
export function parseRedisUrl(url: string): RedisTarget {
  const shown = withoutSecrets(url);
  const fail = (bound: string): never => {
    throw new ConfigurationError('bus', shown, bound);
  };
  const match = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/?#]*)([^?#]*)(?:\?([^#]*))?$/.exec(url);
  if (match === null) return fail(`must have the form ${FORM}`);
  const [, scheme, topology = 'server', login = '', hosts = '', path = '', query = ''] = match;
  const kind = topology === 'sentinel' || topology === 'cluster' ? topology : 'server';
  const addresses = hosts.split(',').map((host) => addressFrom(host, DEFAULT_PORT[kind], fail));
  const parameters = parametersFrom(query, fail);
  const segments = path.split('/').filter((segment) => segment !== '');
  const master = kind === 'sentinel' ? decode(segments.shift() ?? fail('must name the master: …/master'), fail) : '';
  if (segments.length > 1) fail(`the path ${path} must hold no more than ${kind === 'sentinel' ? 'master and ' : ''}a database number`);
  const db = databaseFrom(segments[0], kind, fail);
  const [first, ...others] = addresses;
  if (first === undefined) return fail('must name a host');
  if (kind === 'server' && others.length > 0) fail('must name one host; several belong to redis+sentinel:// or redis+cluster://');
  const prefix = parameters.get('prefix') ?? '';
  if (kind === 'cluster' && hashTagOf(prefix) === undefined) {
    fail('must give a key prefix with a hash tag, for example ?prefix={failflat}: – a script may touch keys of one slot only');
  }
  return {
    url: shown,
    place: placeOf(kind, first, addresses, master),
    tls: scheme === 'rediss',
    credentials: credentialsFrom(login, fail),
    sentinelCredentials: pair(parameters.get('sentinelUsername'), parameters.get('sentinelPassword')),
    db,
    prefix,
  };
}

/** The same place with another prefix; a Cluster's keeps a hash tag. */
export function withFreshPrefix(url: string, name: string): string {
  const { place } = parseRedisUrl(url);
  const [base = url, query = ''] = url.split('?');
  const others = query.split('&').filter((part) => part !== '' && !part.startsWith('prefix='));
  const prefix = encodeURIComponent(place.kind === 'cluster' ? `{${name}}:` : `${name}:`);
  return `${base}?${[...others, `prefix=${prefix}`].join('&')}`;
}

/** The same bus, reached through a port of this machine. */
export function throughPort(url: string, port: number): string {
  return url.replace(/^(rediss?:\/\/(?:[^@/]*@)?)[^/?]*/, `$1127.0.0.1:${port}`);
}

/** The part of a key that decides its slot, if it has one. */
export function hashTagOf(key: string): string | undefined {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open >= 0 && close > open + 1 ? key.slice(open + 1, close) : undefined;
}

type Fail = (bound: string) => never;

function placeOf(kind: RedisPlace['kind'], first: RedisAddress, all: readonly RedisAddress[], master: string): RedisPlace {
  if (kind === 'sentinel') return { kind, sentinels: all, master };
  return kind === 'cluster' ? { kind, nodes: all } : { kind, address: first };
}

function addressFrom(text: string, defaultPort: number, fail: Fail): RedisAddress {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1];
  if (host === undefined) return fail(`host ${JSON.stringify(text)}: must be a name or an address, with a port`);
  const port = Number(match?.[2] ?? defaultPort);
  if (port < 1 || port > 65_535) fail(`port ${port}: must be between 1 and 65535`);
  return { host: host.replace(/^\[|\]$/g, ''), port };
}

function parametersFrom(query: string, fail: Fail): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const [name = '', ...value] = part.split('=');
    if (!PARAMETERS.some((known) => known === name)) fail(`parameter ${name}: must be one of ${PARAMETERS.join(', ')}`);
    parameters.set(name, decode(value.join('='), fail));
  }
  return parameters;
}

function databaseFrom(text: string | undefined, kind: RedisPlace['kind'], fail: Fail): number {
  if (text === undefined) return 0;
  const db = /^\d{1,5}$/.test(text) ? Number(text) : fail(`database ${JSON.stringify(text)}: must be a number`);
  if (kind === 'cluster' && db !== 0) fail(`database ${db}: must be 0, a Cluster has no other`);
  return db;
}

function credentialsFrom(login: string, fail: Fail): RedisCredentials {
  if (login === '') return {};
  const [username = '', ...password] = login.split(':');
  return pair(decode(username, fail), password.length === 0 ? undefined : decode(password.join(':'), fail));
}

function pair(username: string | undefined, password: string | undefined): RedisCredentials {
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
