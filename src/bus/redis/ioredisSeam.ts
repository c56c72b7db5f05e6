/** ioredis behind the seam: one client object is one connection, which never reconnects, queues or resends by itself. */
import { isIP } from 'node:net';
import { FailflatError, messageOf } from '../../errors.js';
import { type Connect, type RedisConnection, RedisReplyError } from './seam.js';

/** The part of an ioredis client that is used. */
export interface Client {
  call(command: string, args: (string | number)[]): Promise<unknown>;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'end', listener: () => void): unknown;
}

/** An error reply keeps its class name across versions and duplicate installs of the client. */
function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Makes connections by ioredis, which is loaded with the first. */
export const connectWithIoredis: Connect = async ({ host, port }, { tls, connectTimeoutMs, name, signal }) => {
  const { Redis } = await import('ioredis');
  const client = new Redis({
    host,
    port,
    connectionName: name,
    connectTimeout: connectTimeoutMs,
    // The name that a server of many is to answer for; an address is none, and is checked against the certificate all the same.
    ...(tls ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
    lazyConnect: true,
    // Logging in and the check of the server are ours: they must have a deadline, and say in one line what is wrong.
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    reconnectOnError: null,
  });
  return established(client, signal);
};

/** Connects a client that was made lazily, and will neither reconnect nor resend; gives it up when `signal` aborts before that. */
export async function established(client: Client, signal: AbortSignal): Promise<RedisConnection> {
  let problem: string | undefined;
  // Without a listener an error event would end the process; what it says comes out of the calls as well.
  client.on('error', (error) => {
    problem = messageOf(error) === '' ? String((error as NodeJS.ErrnoException).code ?? error) : messageOf(error);
  });
  const ended = new Promise<void>((resolve) => {
    client.once('end', () => resolve());
  });
  // A server that stands still accepts a connection, and the client then waits for its first answer for ever.
  const giveUp = () => client.disconnect();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw new FailflatError('bus_unavailable', problem ?? messageOf(error), { cause: error });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  let dropped = false;
  return {
    ended,
    drop() {
      // Each call that waited on a dead connection may ask for its end; the client would set a timer for each of them.
      if (dropped) return;
      dropped = true;
      client.disconnect();
    },
    async send(command, args) {
      try {
        return await client.call(command, [...args]);
      } catch (error) {
        if (isReplyError(error)) throw new RedisReplyError(error.message);
        throw error;
      }
    },
  };
}
