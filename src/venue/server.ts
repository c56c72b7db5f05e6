/** The HTTP shell of the paper venue, on loopback only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BOOT_HEADER, ENVIRONMENT_HEADER, SENT_HEADER, SOURCE_HEADER } from '../brokers/paper/headers.js';
import type { Clock } from '../clock.js';
import { ConfigurationError, messageOf, systemCodeOf } from '../errors.js';
import { hostIdentity } from '../host.js';
import type { Logger } from '../logger.js';
import type { Sender } from './engine/state.js';
import { VENUE_HOST } from './options.js';
import { type HttpAnswer, ROUTES, type RouteContext } from './routes.js';
import type { VenueRuntime } from './runtime.js';

const MAX_BODY_BYTES = 1_000_000;

export interface VenueServerDeps {
  readonly runtime: VenueRuntime;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface VenueServer {
  readonly url: string;
  close(): Promise<void>;
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function senderOf(request: IncomingMessage): Sender {
  const source = headerOf(request, SOURCE_HEADER) ?? 'unknown';
  const sentMs = Number(headerOf(request, SENT_HEADER) ?? Number.NaN);
  // Monotonic readings of another boot would be nonsense here.
  const comparable = headerOf(request, BOOT_HEADER) === hostIdentity().bootId && Number.isFinite(sentMs);
  const environment = headerOf(request, ENVIRONMENT_HEADER);
  return { source, ...(comparable ? { sentMs } : {}), ...(environment === undefined ? {} : { environment }) };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new ConfigurationError('body', `${bytes} bytes`, `must be at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError('body', text, `must be JSON (${messageOf(error)})`);
  }
}

function send(response: ServerResponse, { status, body }: HttpAnswer): void {
  if (response.writableEnded || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function errorAnswer(error: unknown): HttpAnswer {
  // `reason` tells the sender that an order which is wrong in itself surely was not taken.
  if (error instanceof ConfigurationError) return { status: 400, body: { error: error.message, reason: 'other' } };
  return { status: 500, body: { error: messageOf(error) } };
}

async function serve(deps: VenueServerDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://venue');
  const name = `${request.method ?? ''} ${pathname}`;
  const route = ROUTES.get(name);
  const context: RouteContext = deps;
  const fail = (error: unknown) => {
    const answer = errorAnswer(error);
    if (answer.status === 500) deps.logger.error({ request: name, error: messageOf(error) }, 'the venue failed to answer');
    if (route?.freezes === true) deps.runtime.whenThawed(() => send(response, answer));
    else send(response, answer);
  };
  try {
    const body = await readBody(request);
    if (route === undefined) {
      send(response, { status: 404, body: { error: `${name}: is not known here` } });
      return;
    }
    const question = { sender: senderOf(request), query: Object.fromEntries(searchParams), body };
    route.answer(context, question, (answer) => send(response, answer));
  } catch (error) {
    fail(error);
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemCodeOf(error);
      if (code === 'EADDRINUSE')
        reject(new ConfigurationError('port', port, `must be free on ${VENUE_HOST}: another process listens there`));
      else if (code === 'EACCES') reject(new ConfigurationError('port', port, 'must be a port that this user may open'));
      else reject(error);
    });
    server.listen(port, VENUE_HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** Resolves once it listens. Throws a ConfigurationError naming `port` where that cannot be had. */
export async function startVenueServer(deps: VenueServerDeps, port: number): Promise<VenueServer> {
  const server = createServer((request, response) => {
    serve(deps, request, response).catch((error: unknown) => {
      deps.logger.error({ error: messageOf(error) }, 'the venue lost a request');
      response.destroy();
    });
  });
  // A kept connection that the venue closed first would turn the next order on it into one of unknown fate.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  const listeningPort = await listen(server, port);
  return {
    url: `http://${VENUE_HOST}:${listeningPort}`,
    close: () =>
      new Promise((resolve) => {
        deps.runtime.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
