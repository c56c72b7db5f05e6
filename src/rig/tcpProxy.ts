/** A TCP proxy on loopback that stalls, delays, cuts and half-opens, and never invents or drops a byte of a connection that goes on. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock, type Timer } from '../clock.js';
import { RigError } from './child.js';

export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Bytes wait, in one direction or in both; nobody is told. */
  | { readonly kind: 'stall'; readonly direction?: Direction }
  /** Bytes arrive so much later, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections that stand are reset, new ones as well. */
  | { readonly kind: 'reset' }
  /** The next bytes still reach the server; what it answers is never seen, because the connection is reset. */
  | { readonly kind: 'lose-reply' };

export type Direction = 'to-server' | 'to-client';

/** One direction of one connection: bytes that have been read and not yet passed on, oldest first. */
class Lane {
  readonly #queue: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  readonly #clock: Clock;
  readonly #from: Socket;
  readonly #to: Socket;
  #held = false;
  #timer: Timer | undefined;
  #ended = false;

  constructor(clock: Clock, from: Socket, to: Socket) {
    this.#clock = clock;
    this.#from = from;
    this.#to = to;
  }

  take(bytes: Buffer, delayMs: number): void {
    this.#queue.push({ bytes, dueMs: this.#clock.monotonicMs() + delayMs });
    this.#flush();
  }

  /** The sender has said its last word: the receiver hears it after everything before it. */
  end(): void {
    this.#ended = true;
    this.#flush();
  }

  hold(held: boolean): void {
    this.#held = held;
    // As on a real line: nothing more is taken from who sends, and its kernel goes on accepting for a while.
    if (held) this.#from.pause();
    else this.#from.resume();
    this.#flush();
  }

  drop(): void {
    this.#timer?.cancel();
    this.#queue.length = 0;
  }

  #flush(): void {
    this.#timer?.cancel();
    if (this.#held) return;
    const nowMs = this.#clock.monotonicMs();
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.dueMs > nowMs) {
        this.#timer = this.#clock.setTimer(next.dueMs - nowMs, () => this.#flush(), { keepAlive: false });
        return;
      }
      this.#queue.shift();
      this.#to.write(next.bytes);
    }
    if (this.#ended) this.#to.end();
  }
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly toServer: Lane;
  readonly toClient: Lane;
}

export class TcpProxy {
  readonly port: number;
  #mode: ProxyMode = { kind: 'pass' };
  #targetPort: number;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();

  private constructor(server: Server, port: number, targetPort: number, clock: Clock) {
    this.#server = server;
    this.port = port;
    this.#targetPort = targetPort;
    this.#clock = clock;
    server.on('connection', (client) => this.#accept(client));
  }

  static async start(targetPort: number, clock: Clock = systemClock): Promise<TcpProxy> {
    // Half-open connections are what it is for.
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new RigError('the proxy has no port');
    return new TcpProxy(server, address.port, targetPort, clock);
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Where new connections go. */
  retarget(port: number): void {
    this.#targetPort = port;
  }

  set(mode: ProxyMode): void {
    this.#mode = mode;
    for (const connection of this.#connections) this.#apply(connection);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) this.#cut(connection);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(client: Socket): void {
    // A reset connection tells of itself by an error event.
    client.on('error', () => {});
    if (this.#mode.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true });
    server.setNoDelay(true);
    client.setNoDelay(true);
    const connection: Connection = {
      client,
      server,
      toServer: new Lane(this.#clock, client, server),
      toClient: new Lane(this.#clock, server, client),
    };
    this.#connections.add(connection);
    server.on('error', () => this.#cut(connection));
    client.on('error', () => this.#cut(connection));
    client.on('data', (bytes) => connection.toServer.take(bytes, this.#delayMs()));
    server.on('data', (bytes) => this.#answered(connection, bytes));
    client.on('end', () => connection.toServer.end());
    server.on('end', () => connection.toClient.end());
    const closed = () => {
      if (client.closed && server.closed) this.#connections.delete(connection);
    };
    client.on('close', closed);
    server.on('close', closed);
    this.#apply(connection);
  }

  #answered(connection: Connection, bytes: Buffer): void {
    if (this.#mode.kind === 'lose-reply') this.#cut(connection);
    else connection.toClient.take(bytes, this.#delayMs());
  }

  #delayMs(): number {
    return this.#mode.kind === 'delay' ? this.#mode.ms : 0;
  }

  #apply(connection: Connection): void {
    const mode = this.#mode;
    if (mode.kind === 'reset') {
      this.#cut(connection);
      return;
    }
    const stalls = (direction: Direction) => mode.kind === 'stall' && (mode.direction ?? direction) === direction;
    connection.toServer.hold(stalls('to-server'));
    connection.toClient.hold(stalls('to-client'));
  }

  #cut(connection: Connection): void {
    this.#connections.delete(connection);
    connection.toServer.drop();
    connection.toClient.drop();
    for (const socket of [connection.client, connection.server]) if (!socket.destroyed) socket.resetAndDestroy();
  }
}
