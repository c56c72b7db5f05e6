/** A TCP proxy on loopback that stalls, delays, cuts and half-opens, and never invents or drops a byte of a connection that goes on. */
import { createServer, type Server, Socket } from 'node:net';
import { type Clock, systemClock } from '../clock.js';
import { RigError } from './child.js';
import { freePort } from './freePort.js';
import { type LaneState, ProxyLane } from './proxyLane.js';

export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Bytes wait, in one direction or in both; nobody is told. */
  | { readonly kind: 'stall'; readonly direction?: Direction }
  /** Bytes arrive so much later, in order. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections stand, new ones as well, and take what is sent; nothing comes out at the other end, nor is a new one heard of there. */
  | { readonly kind: 'half-open' }
  /** Connections that stand are reset, new ones as well. */
  | { readonly kind: 'reset' }
  /** What is sent still reaches the server; what it answers is never seen, because the connection is reset. */
  | { readonly kind: 'lose-reply' };

export type Direction = 'to-server' | 'to-client';

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly toServer: ProxyLane;
  readonly toClient: ProxyLane;
  readonly sight: RequestSight;
  /** The client's side was reset in the place of a reply: what the server still says is nobody's. */
  isLost: boolean;
}

/** One reply that is to be lost. */
interface Loss {
  readonly request: Buffer;
  readonly onLost: () => void;
}

const STARTS = 5;

export class TcpProxy {
  readonly port: number;
  #mode: ProxyMode = { kind: 'pass' };
  #targetPort: number;
  #door: Server | undefined;
  #loss: Loss | undefined;
  readonly #clock: Clock;
  readonly #connections = new Set<Connection>();

  private constructor(port: number, targetPort: number, clock: Clock) {
    this.port = port;
    this.#targetPort = targetPort;
    this.#clock = clock;
  }

  static async start(targetPort: number, clock: Clock = systemClock): Promise<TcpProxy> {
    for (let start = 1; ; start += 1) {
      const proxy = new TcpProxy(await freePort(), targetPort, clock);
      try {
        await proxy.admit();
        return proxy;
      } catch (error) {
        // Somebody else may have taken the port between the look and the start.
        if (start >= STARTS) throw new RigError(`the proxy cannot listen on port ${proxy.port}`, { cause: error });
      }
    }
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** How much has been taken from senders and not passed on. */
  heldBytes(direction: Direction): number {
    const lanes = [...this.#connections].map(({ toServer, toClient }) => (direction === 'to-server' ? toServer : toClient));
    return lanes.reduce((sum, lane) => sum + lane.heldBytes, 0);
  }

  /** Where new connections go. */
  retarget(port: number): void {
    this.#targetPort = port;
  }

  /** In force when it returns, for connections old and new. `pass` also takes back {@link loseReplyTo}. */
  set(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode.kind === 'pass') this.#loss = undefined;
    for (const connection of this.#connections) this.#apply(connection);
  }

  /** New connections are refused, as by a host without that server, until {@link admit}; those that stand go on by the mode. */
  refuse(): void {
    this.#door?.close();
    this.#door = undefined;
  }

  async admit(): Promise<void> {
    if (this.#door !== undefined) return;
    // Half-open connections are what it is for.
    const door = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    await new Promise<void>((resolve, reject) => {
      door.once('error', reject);
      door.listen(this.port, '127.0.0.1', resolve);
    });
    this.#door = door;
  }

  /**
   * Loses one reply after its execution: the first connection that sends `request` from now on is reset in the place of the next
   * reply, and passes on what it has of the request. Resolves when that has happened. `request` is sought in what goes over the wire.
   */
  async loseReplyTo(request: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#loss = { request: Buffer.from(request), onLost: resolve };
    });
  }

  async close(): Promise<void> {
    const door = this.#door;
    this.#door = undefined;
    for (const connection of this.#connections) this.#cut(connection);
    if (door === undefined) return;
    await new Promise<void>((resolve) => {
      door.close(() => resolve());
    });
  }

  #accept(client: Socket): void {
    // A reset connection tells of itself by an error event.
    client.on('error', () => {});
    if (this.#mode.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const server = new Socket({ allowHalfOpen: true });
    server.setNoDelay(true);
    const connection: Connection = {
      client,
      server,
      toServer: new ProxyLane(this.#clock, client, server),
      toClient: new ProxyLane(this.#clock, server, client),
      sight: new RequestSight(),
      isLost: false,
    };
    this.#connections.add(connection);
    server.on('error', () => this.#cut(connection));
    client.on('error', () => this.#cut(connection));
    client.on('data', (bytes) => {
      connection.sight.look(bytes, this.#loss);
      connection.toServer.take(bytes, this.#delayMs());
    });
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
    if (connection.isLost) return;
    const loss = this.#loss;
    if (loss !== undefined && connection.sight.seen === loss) {
      this.#loss = undefined;
      this.#lose(connection);
      loss.onLost();
    } else if (this.#mode.kind === 'lose-reply') this.#lose(connection);
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
    const { server } = connection;
    if (mode.kind !== 'half-open' && isUnconnected(server)) server.connect(this.#targetPort, '127.0.0.1');
    const stateOf = (direction: Direction): LaneState => {
      if (mode.kind === 'half-open') return 'swallowed';
      return mode.kind === 'stall' && (mode.direction ?? direction) === direction ? 'stalled' : 'open';
    };
    connection.toServer.set(stateOf('to-server'));
    connection.toClient.set(stateOf('to-client'));
  }

  /** Resets the client's side alone. A reset of the server's side could overtake the request that it is meant to have executed. */
  #lose(connection: Connection): void {
    connection.isLost = true;
    connection.toClient.drop();
    connection.client.resetAndDestroy();
    connection.toServer.end();
    connection.server.resume();
  }

  #cut(connection: Connection): void {
    const { client, server, toServer, toClient } = connection;
    this.#connections.delete(connection);
    toServer.drop();
    toClient.drop();
    for (const socket of [client, server]) {
      // One that was never connected has nothing to reset, and would call that an error.
      if (isUnconnected(socket)) socket.destroy();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}

const isUnconnected = (socket: Socket): boolean => socket.pending && !socket.connecting && !socket.destroyed;

/** Looks for a request on one connection, also where it comes in pieces. */
class RequestSight {
  /** The loss whose request has passed by. */
  seen: Loss | undefined;
  #sought: Loss | undefined;
  #tail: Buffer = Buffer.alloc(0);

  look(bytes: Buffer, loss: Loss | undefined): void {
    if (loss === undefined) return;
    if (loss !== this.#sought) this.#tail = Buffer.alloc(0);
    this.#sought = loss;
    const text = Buffer.concat([this.#tail, bytes]);
    if (text.includes(loss.request)) this.seen = loss;
    this.#tail = text.subarray(Math.max(0, text.length - loss.request.length + 1));
  }
}
