/** A receiver of alerts on loopback: says when each one came. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../clock.js';
import { RigError } from './child.js';

export interface ReceivedAlert {
  readonly atMs: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export class AlertReceiver {
  readonly url: string;
  readonly received: ReceivedAlert[] = [];
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}/alerts`;
  }

  static async start(clock: Clock = systemClock): Promise<AlertReceiver> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new RigError('the alert receiver has no port');
    const receiver = new AlertReceiver(server, (address satisfies AddressInfo).port);
    server.on('request', (request, response) => {
      const atMs = clock.monotonicMs();
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        if (typeof body === 'object' && body !== null) receiver.received.push({ atMs, body: { ...body } });
        response.writeHead(204).end();
      });
    });
    return receiver;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
