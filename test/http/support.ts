/** A caller that speaks HTTP over connections of its own, which it keeps as long as the server lets it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '../support/eventually.js';

export interface Said {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class Caller {
  readonly #socket: Socket;
  #received = '';
  /** How often an answer was taken out of what was received. */
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#received += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async to(port: number): Promise<Caller> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Caller(socket);
  }

  /** Sends a request without waiting for its answer. */
  ask(method: string, path: string, options: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {}): void {
    const { body = '', headers = {} } = options;
    const all = { host: 'localhost', ...(body === '' ? {} : { 'content-length': String(body.length) }), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  get received(): string {
    return this.#received;
  }

  /** Takes the next whole answer. */
  async answer(): Promise<Said> {
    return eventually(() => {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd < 0) return undefined;
      const [first = '', ...lines] = this.#received.slice(0, headEnd).split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
      );
      const length = Number(headers['content-length'] ?? 0);
      const rest = this.#received.slice(headEnd + 4);
      if (rest.length < length) return undefined;
      this.#received = rest.slice(length);
      return { status: Number(first.split(' ')[1]), headers, body: rest.slice(0, length) };
    });
  }

  async gone(timeoutMs?: number): Promise<void> {
    await eventually(() => this.closed, timeoutMs === undefined ? {} : { timeoutMs });
  }

  end(): void {
    this.#socket.destroy();
  }
}
