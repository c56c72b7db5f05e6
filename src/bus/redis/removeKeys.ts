/** Removes every key under the prefix of a URL: for those who made the prefix, and nobody else. */
import { systemClock } from '../../clock.js';
import { ConfigurationError } from '../../errors.js';
import { dial } from './connection.js';
import { CONNECT_TIMEOUT_MS } from './dialling.js';
import { connectWithIoredis } from './ioredisSeam.js';
import { parseRedisUrl } from './target.js';
import { listOf } from './wire.js';

/** Throws ConfigurationError without a prefix: everything that the server holds is never meant. */
export async function removeKeys(url: string): Promise<void> {
  const target = parseRedisUrl(url);
  if (target.prefix === '') throw new ConfigurationError('bus', target.url, 'must have a prefix: only keys under it are removed');
  const { connection } = await dial({
    target,
    connect: connectWithIoredis,
    clock: systemClock,
    name: 'failflat-cleanup',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  });
  try {
    const pattern = `${target.prefix.replace(/[\\*?[\]^]/g, '\\$&')}*`;
    let cursor = '0';
    do {
      const reply = await connection.send('SCAN', [cursor, 'MATCH', pattern, 'COUNT', 1_000]);
      const [next = '0', keys] = listOf(reply);
      cursor = typeof next === 'string' ? next : '0';
      const found = listOf(keys).map(String);
      if (found.length > 0) await connection.send('UNLINK', found);
    } while (cursor !== '0');
  } finally {
    connection.drop();
  }
}
