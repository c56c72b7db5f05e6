/** What it takes to make a connection, and what can stand in its way. */
import type { Clock } from '../../clock.js';
import { callWithin } from '../../deadline.js';
import { FailflatError, messageOf } from '../../errors.js';
import { nameOf, type RedisAddress } from './address.js';
import { type Connect, type RedisArgument, type RedisConnection, RedisReplyError } from './seam.js';
import type { RedisCredentials, RedisTarget } from './target.js';

/** Of a connection, and of everything that is asked before it is used: at the start, … */
export const CONNECT_TIMEOUT_MS = 2_000;
/** … and when it is made anew: behind a failover the master that stands still must not be waited for longer than that. */
export const RECONNECT_TIMEOUT_MS = 500;

export interface Dialling {
  readonly target: RedisTarget;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly name: string;
  readonly connectTimeoutMs: number;
}

/** Where waiting for a better moment helps: the place is down, loading, or not the master now. */
export class NotNowError extends FailflatError {
  constructor(detail: string, options?: ErrorOptions) {
    super('bus_unavailable', detail, options);
  }
}

/** The server has refused us, and will do so again until somebody changes something. */
export class RefusedByServerError extends FailflatError {
  constructor(detail: string, options?: ErrorOptions) {
    super('bus_unsuitable', detail, options);
  }
}

/** A TCP connection within the deadline, neither logged in nor checked. */
export async function connectWithin(
  { target, connect, clock, name, connectTimeoutMs }: Dialling,
  address: RedisAddress,
): Promise<RedisConnection> {
  const shown = nameOf(address);
  const connecting = (signal: AbortSignal) => connect(address, { tls: target.tls, connectTimeoutMs, name, signal });
  const connected = await callWithin(clock, connecting, connectTimeoutMs).catch((error: unknown) => {
    throw new NotNowError(`${shown}: ${messageOf(error)}`, { cause: error });
  });
  if (connected.settled) return connected.value;
  throw new NotNowError(`${shown}: no connection within ${connectTimeoutMs} ms${target.tls ? '; does it speak TLS?' : ''}`);
}

export async function login(connection: RedisConnection, { username, password }: RedisCredentials): Promise<void> {
  if (password === undefined) return;
  const credentials: RedisArgument[] = username === undefined ? [password] : [username, password];
  try {
    await connection.send('AUTH', credentials);
  } catch (error) {
    // A server without this command repeats what it was sent.
    if (error instanceof RedisReplyError && error.message.includes(password)) throw new RedisReplyError(`${error.kind} AUTH was refused`);
    throw error;
  }
}

/** `INFO` as a map: lines of `name:value`. */
export function infoOf(reply: unknown): ReadonlyMap<string, string> {
  const lines = typeof reply === 'string' ? reply.split('\r\n') : [];
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}
