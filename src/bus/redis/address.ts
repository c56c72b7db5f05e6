/** Where a server is reached, and how that is written. */

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Throws the error that says what a URL must be; `part` is the part of it that is not. */
export type Fail = (bound: string, part?: string) => never;

/** As people and logs see it, and as two spellings of one address compare. */
export function nameOf({ host, port }: RedisAddress): string {
  return `${host.toLowerCase()}:${port}`;
}

/** As it stands in a URL. */
export function inUrl({ host, port }: RedisAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

/** On this machine, for certain. */
export const isLoopback = ({ host }: RedisAddress): boolean => LOOPBACK.has(host);

export function addressFrom(text: string, defaultPort: number | undefined, fail: Fail): RedisAddress {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1];
  const port = Number(match?.[2] ?? defaultPort ?? Number.NaN);
  if (host === undefined || Number.isNaN(port)) return fail('each host must be a name or an address, with a port', text);
  if (port < 1 || port > 65_535) fail(`port ${port}: must be between 1 and 65535`);
  return { host: host.replace(/^\[|\]$/g, ''), port };
}
