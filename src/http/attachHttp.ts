/** Attaches the shutdown to an HTTP server: probes, refusals, and an end that cuts off no request in flight. */
import type { IncomingMessage } from 'node:http';
import { ConfigurationError } from '../errors.js';
import { probeAnswer, refusalAnswer, upgradeAnswer } from './answers.js';
import { Connections } from './connections.js';
import { type AnyServer, checkServer, type InFront, send, sendRaw, standInFront } from './inFront.js';
import { type HttpOptions, type HttpSettings, httpSettings, type RequestFacts } from './options.js';
import { WindDown } from './windDown.js';

export interface HttpAttachment extends AsyncDisposable {
  /** What the readiness probe says. */
  readonly ready: boolean;
  /** Stops listening at once, lets what is in flight finish within `closeTimeoutMs`, and lets go of the server. Never rejects. */
  close(): Promise<void>;
}

const MARK = Symbol.for('failflat.http.v1');

function factsOf({ method = '', url = '' }: IncomingMessage): RequestFacts {
  return { method, url };
}

function guards(settings: HttpSettings, connections: Connections): InFront {
  return {
    onRequest(request, response) {
      connections.enter(request.socket, response);
      const facts = factsOf(request);
      const answer = probeAnswer(settings, facts) ?? refusalAnswer(settings, facts);
      if (answer !== undefined) send(request, response, answer);
      return answer !== undefined;
    },
    onUpgrade(connection) {
      const answer = upgradeAnswer(settings);
      if (answer === undefined) connections.hold(connection);
      else sendRaw(connection, answer);
      return answer !== undefined;
    },
  };
}

function stopListening(server: AnyServer): Promise<void> {
  return new Promise((resolve) => {
    // An error says that it was not listening: as closed as it gets.
    server.close(() => resolve());
  });
}

/**
 * Attaches `server`, best before it listens. Readiness says 503 from the request of the shutdown on, liveness goes on saying 200;
 * new work is answered 503 `shutting_down`, and 409 with the code of the refusal while a permission refuses; what is in flight
 * finishes. When the process shuts down the server is closed after the drain; with a gate of its own, when that gate is shut.
 * Throws {@link ConfigurationError} for an option that cannot hold.
 */
export function attachHttp(server: AnyServer, options: HttpOptions = {}): HttpAttachment {
  const settings = httpSettings(options);
  checkServer('server', server);
  if (MARK in server) throw new ConfigurationError('server', server, 'must not be attached twice');
  const connections = new Connections(server, 'setSecureContext' in server);
  const windDown = new WindDown({ settings, connections, stop: () => stopListening(server) });
  const standAside = standInFront(server, guards(settings, connections));
  Object.defineProperty(server, MARK, { value: true, configurable: true });
  const close = async (): Promise<void> => {
    windDown.release();
    await windDown.closeNow();
    standAside();
    connections.release();
    Reflect.deleteProperty(server, MARK);
  };
  return {
    get ready() {
      return !settings.gate.requested;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
