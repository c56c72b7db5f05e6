/** Asks a server of somebody else's what it knows, as its user may: on a connection that is closed again. */
import type { RedisAddress } from '../../bus/redis/address.js';
import { CONNECT_TIMEOUT_MS, connectWithin, type Dialling, login } from '../../bus/redis/dialling.js';
import { connectWithIoredis } from '../../bus/redis/ioredisSeam.js';
import type { RedisConnection } from '../../bus/redis/seam.js';
import type { RedisCredentials, RedisTarget } from '../../bus/redis/target.js';
import { systemClock } from '../../clock.js';

export function rigDialling(target: RedisTarget): Dialling {
  return { target, connect: connectWithIoredis, clock: systemClock, name: 'failflat-rig', connectTimeoutMs: CONNECT_TIMEOUT_MS };
}

export async function askServer<T>(
  dialling: Dialling,
  address: RedisAddress,
  credentials: RedisCredentials,
  ask: (connection: RedisConnection) => Promise<T>,
): Promise<T> {
  const connection = await connectWithin(dialling, address);
  try {
    await login(connection, credentials);
    return await ask(connection);
  } finally {
    connection.drop();
  }
}
