/** What it takes to make a connection, and what can stand in its way. */
import type { Clock } from '../../clock.js';
import { callWithin } from '../../deadline.js';
import { FailflatError, messageOf } from '../../errors.js';
import { nameOf, type RedisAddress } from './address.js';
import { type Connect, type RedisArgument, type RedisConnection, RedisReplyError } from './seam.js';
import type { RedisCredentials, RedisTarget } from './target.js';
import type { NamedMaster } from './whereabouts.js';

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
  /** Told where the connection will lead, before it is made. What it throws ends the dialling. */
  readonly located?: (master: NamedMaster) => void;
  /** Aborts when the connection is not wanted any more. */
  readonly signal?: AbortSignal;
  /** What a handle remembers of its Cluster from one question to the next. */
  readonly known?: KnownNodes;
}

/** Nodes of a Cluster that others have named, the one to be asked first at the head. */
export interface KnownNodes {
  addresses: readonly RedisAddress[];
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
  { target, connect, clock, name, connectTimeoutMs, signal }: Dialling,
  address: RedisAddress,
): Promise<RedisConnection> {
  const shown = nameOf(address);
  const connecting = (late: AbortSignal) => {
    const unwanted = signal === undefined ? late : AbortSignal.any([late, signal]);
    return connect(address, { tls: target.tls, connectTimeoutMs, name, signal: unwanted });
  };
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
