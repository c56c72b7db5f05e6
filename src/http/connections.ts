/** Follows a server's connections, so that closing it waits for requests in flight and for nothing else. */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What is used of a server, whether it is secure or not. */
export interface ConnectedServer {
  on(event: string, listener: (connection: Duplex) => void): unknown;
  removeListener(event: string, listener: (connection: Duplex) => void): unknown;
  closeAllConnections(): void;
}

function canEndSoon(connection: Duplex): connection is Duplex & { destroySoon(): void } {
  return 'destroySoon' in connection && typeof connection.destroySoon === 'function';
}

/** Ends a connection once what was written has left. */
function hangUp(connection: Duplex): void {
  if (canEndSoon(connection)) connection.destroySoon();
  else connection.destroy();
}

// A request that was injected, as in tests of a program, came over none.
function isConnection(value: unknown): value is Duplex {
  return typeof value === 'object' && value !== null && 'destroy' in value && typeof value.destroy === 'function';
}

export class Connections {
  readonly #server: ConnectedServer;
  readonly #event: 'connection' | 'secureConnection';
  /** Each open connection, and how many requests are in flight on it. */
  readonly #open = new Map<Duplex, number>();
  /** Those below secure connections: one that has not finished its handshake is known by nothing else. */
  readonly #below = new Set<Duplex>();
  /** Those that are not closed yet, the oldest first, and over which connection each goes. */
  readonly #responses = new Map<ServerResponse, Duplex>();
  /** Which response says of itself that it is the last one on its connection. */
  readonly #last = new Map<Duplex, ServerResponse>();
  #isLeaving = false;
  #isClosing = false;

  constructor(server: ConnectedServer, isSecure: boolean) {
    this.#server = server;
    this.#event = isSecure ? 'secureConnection' : 'connection';
    server.on(this.#event, this.#add);
    if (isSecure) server.on('connection', this.#addBelow);
  }

  release(): void {
    this.#server.removeListener(this.#event, this.#add);
    this.#server.removeListener('connection', this.#addBelow);
  }

  readonly #add = (connection: Duplex): void => {
    if (this.#open.has(connection)) return;
    this.#open.set(connection, 0);
    connection.once('close', () => this.#open.delete(connection));
  };

  readonly #addBelow = (connection: Duplex): void => {
    this.#below.add(connection);
    connection.once('close', () => this.#below.delete(connection));
  };

  /** One request came. Its connection is busy until the response is closed. */
  enter(connection: Duplex, response: ServerResponse): void {
    this.hold(connection);
    this.#responses.set(response, connection);
    if (this.#isLeaving) this.#sayLast(response, connection);
    response.once('close', () => {
      this.#responses.delete(response);
      if (this.#last.get(connection) === response) this.#last.delete(connection);
      this.#leave(connection);
    });
  }

  // Several requests may be in flight on one connection, and the first answer that says so ends it: only the newest may.
  #sayLast(response: ServerResponse, connection: Duplex): void {
    const before = this.#last.get(connection);
    if (before !== undefined && !before.headersSent) before.removeHeader('connection');
    this.#last.set(connection, response);
    if (!response.headersSent) response.setHeader('connection', 'close');
  }

  /** The connection was handed to somebody who speaks another protocol on it: it is busy until it closes. */
  hold(connection: Duplex): void {
    if (!isConnection(connection)) return;
    this.#add(connection);
    this.#open.set(connection, (this.#open.get(connection) ?? 0) + 1);
  }

  #leave(connection: Duplex): void {
    const busy = this.#open.get(connection);
    if (busy === undefined) return;
    this.#open.set(connection, busy - 1);
    if (this.#isClosing && busy === 1) hangUp(connection);
  }

  /** From now on the newest answer is the last one on its connection. */
  leave(): void {
    this.#isLeaving = true;
    for (const [response, connection] of this.#responses) this.#sayLast(response, connection);
  }

  /** Ends the connections on which nothing is in flight, and each other one with its last answer. */
  closeIdle(): void {
    this.leave();
    this.#isClosing = true;
    for (const [connection, busy] of this.#open) if (busy === 0) connection.destroy();
  }

  /** Cuts every connection, whatever is in flight on it. */
  cut(): void {
    for (const connection of [...this.#open.keys(), ...this.#below]) connection.destroy();
    this.#server.closeAllConnections();
  }
}
