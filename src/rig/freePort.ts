/** Ports of loopback for servers that will be ended and started again on the same one. */
import { createServer } from 'node:net';
import { type Random, systemRandom } from '../random.js';
import { RigError } from './child.js';

/**
 * Below the ports that systems give to outgoing connections. Among those, a client that dials a server which is down may be given
 * the server's own port: it then reaches itself, and the server cannot come back.
 */
const PORT_MIN = 10_240;
const PORT_MAX = 21_999;
const TRIES = 100;

/** A port that is free now; with `alsoAbove`, the one that lies so far above it is free as well. */
export async function freePort(alsoAbove?: number, random: Random = systemRandom): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = PORT_MIN + random.below(PORT_MAX - PORT_MIN + 1);
    if ((await isFree(port)) && (alsoAbove === undefined || (await isFree(port + alsoAbove)))) return port;
  }
  throw new RigError(`loopback has no free port between ${PORT_MIN} and ${PORT_MAX}: ${TRIES} were tried`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
