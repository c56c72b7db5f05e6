/** The same for Fastify, as a plugin: its own hooks, logs and injected requests see what is answered. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { messageOf } from '../errors.js';
import { isolated } from '../logger.js';
import { type HttpAnswer, livenessAnswer, readinessAnswer, refusalAnswer, upgradeAnswer } from './answers.js';
import { Connections } from './connections.js';
import { checkServer, sendRaw, standInFront } from './inFront.js';
import { type HttpOptions, type HttpSettings, httpSettings } from './options.js';
import { WindDown } from './windDown.js';

/** What is used of Fastify's request, reply and instance. */
export interface FastifyRequestLike {
  readonly method: string;
  readonly url: string;
  readonly raw: IncomingMessage;
}

export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: unknown): unknown;
}

export interface FastifyLike {
  readonly server: Server;
  addHook(name: 'onRequest', hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void): unknown;
  addHook(name: 'preClose', hook: (done: () => void) => void): unknown;
  get(path: string, handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => void): unknown;
  close(): PromiseLike<unknown>;
  readonly log: { error(details: object, message: string): void };
}

function send(reply: FastifyReplyLike, { status, headers, body }: HttpAnswer): void {
  reply.code(status);
  reply.headers({ ...headers, 'cache-control': 'no-store' });
  reply.send(body);
}

// Fastify hears of an error from `done` alone.
function plugin(fastify: FastifyLike, options: HttpOptions, done: (error?: Error) => void): void {
  try {
    attach(fastify, httpSettings(options));
  } catch (thrown) {
    done(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    return;
  }
  done();
}

function attach(fastify: FastifyLike, settings: HttpSettings): void {
  const { livenessPath, readinessPath } = settings;
  const { server } = fastify;
  const connections = new Connections(checkServer('fastify.server', server), 'setSecureContext' in server);
  standInFront(server, {
    onRequest: () => false,
    onUpgrade: (connection) => {
      const answer = upgradeAnswer(settings);
      if (answer === undefined) connections.hold(connection);
      else sendRaw(connection, answer);
      return answer !== undefined;
    },
  });
  const stop = async (): Promise<void> => {
    try {
      await fastify.close();
    } catch (error) {
      isolated(() => fastify.log.error({ err: error }, 'the server did not close well'));
      throw error;
    }
  };
  const windDown = new WindDown({ settings, connections, stop });
  // Whoever closes it: a connection that becomes idle after that would otherwise live out its keep-alive time.
  fastify.addHook('preClose', (ready) => {
    windDown.release();
    connections.closeIdle();
    ready();
  });
  fastify.addHook('onRequest', (request, reply, next) => {
    connections.enter(request.raw.socket, reply.raw);
    const answer = refusalAnswer(settings, request);
    if (answer === undefined) next();
    else send(reply, answer);
  });
  if (livenessPath !== false) fastify.get(livenessPath, (_request, reply) => send(reply, livenessAnswer()));
  if (readinessPath !== false) fastify.get(readinessPath, (_request, reply) => send(reply, readinessAnswer(settings)));
}

/**
 * Register it first, on the root instance: its hook then stands in front of every route. Options are those of `attachHttp`; one
 * that cannot hold makes the registration fail with `ConfigurationError`.
 */
export const failflatFastify: typeof plugin = Object.assign(plugin, {
  // Fastify's own mark for a plugin whose hooks count for everyone, not only for routes inside it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'failflat',
});

export default failflatFastify;
