/** Stands in front of a server's own listeners, and of those that are added later: what it answers they never see. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { ConfigurationError } from '../errors.js';
import type { HttpAnswer } from './answers.js';

export type AnyServer = Server | SecureServer;

/** Throws {@link ConfigurationError} for a server of HTTP/2: its connections carry many requests at once, and no answer ends one. */
export function checkServer<S>(field: string, server: S): S {
  const isObject = typeof server === 'object' && server !== null;
  if (isObject && 'closeAllConnections' in server && !('updateSettings' in server)) return server;
  throw new ConfigurationError(field, server, 'must be a server of node:http or node:https: HTTP/2 is not spoken here');
}

export interface InFront {
  /** True: it was answered. */
  onRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** True: it was answered. Else the connection goes to whoever speaks the other protocol. */
  onUpgrade(connection: Duplex): boolean;
}

type Emit = (this: unknown, event: string | symbol, ...args: readonly unknown[]) => boolean;

const REQUESTS: ReadonlySet<unknown> = new Set(['request', 'checkContinue', 'checkExpectation']);
const UPGRADES: ReadonlySet<unknown> = new Set(['upgrade', 'connect']);

function isEmit(value: unknown): value is Emit {
  return typeof value === 'function';
}

// What Node's server emits under these names.
function isExchange(event: unknown, args: readonly unknown[]): args is readonly [IncomingMessage, ServerResponse] {
  return REQUESTS.has(event) && args.length > 1;
}

function isUpgrade(event: unknown, args: readonly unknown[]): args is readonly [IncomingMessage, Duplex] {
  return UPGRADES.has(event) && args.length > 1;
}

/** The answer steps aside again. */
export function standInFront(server: AnyServer, front: InFront): () => void {
  const own = Object.getOwnPropertyDescriptor(server, 'emit');
  const inner: unknown = Reflect.get(server, 'emit');
  const emit: Emit = (event, ...args) => {
    if (isExchange(event, args) && front.onRequest(...args)) return true;
    if (isUpgrade(event, args) && front.onUpgrade(args[1])) return true;
    return isEmit(inner) && inner.call(server, event, ...args);
  };
  Object.defineProperty(server, 'emit', { value: emit, configurable: true, writable: true });
  return () => {
    // Somebody who stands in front of this one by now calls it: it must stay.
    if (Reflect.get(server, 'emit') !== emit) return;
    if (own === undefined) Reflect.deleteProperty(server, 'emit');
    else Object.defineProperty(server, 'emit', own);
  };
}

export function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  const text = JSON.stringify(body);
  // What is left of the request is read and dropped, or the connection would be reset before the answer has arrived.
  request.resume();
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** For a connection that has no response of its own. */
export function sendRaw(connection: Duplex, { status, headers, body }: HttpAnswer): void {
  const text = JSON.stringify(body);
  const all = { ...headers, connection: 'close', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // A caller that has gone away is no error of ours.
  connection.on('error', () => undefined);
  connection.end(`HTTP/1.1 ${status} Service Unavailable\r\n${lines.join('')}\r\n${text}`);
}
