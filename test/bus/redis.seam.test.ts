/** One client object of ioredis is one connection, and it is told only once that it is over. */
import { expect, it } from 'vitest';
import { type Client, established } from '../../src/bus/redis/ioredisSeam.js';

it('a connection is ended once, however many calls that waited on it ask for its end', async () => {
  let ends = 0;
  const client: Client = {
    call: async () => undefined,
    connect: async () => {},
    disconnect: () => {
      ends += 1;
    },
    on: () => undefined,
    once: () => undefined,
  };
  const connection = await established(client, new AbortController().signal);
  for (let call = 0; call < 100; call += 1) connection.drop();
  expect(ends).toBe(1);
});
