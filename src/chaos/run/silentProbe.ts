/** Asks the simplest question on the way that is cut, and takes down when an answer came. */
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../clock.js';

const QUESTION = 'PING\r\n';

export class SilentProbe {
  readonly #sockets: readonly Socket[];
  #heardMs: number | undefined;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    for (const socket of sockets) {
      socket.once('data', () => {
        this.#heardMs ??= systemClock.monotonicMs();
      });
      // A way that resets a connection has not answered on it.
      socket.on('error', () => undefined);
      socket.write(QUESTION);
    }
  }

  /** Connections to these ports of loopback. */
  static async through(ports: readonly number[]): Promise<SilentProbe> {
    return new SilentProbe(ports.map((port) => connect(port, '127.0.0.1')));
  }

  /** When an answer came; undefined: none did. */
  close(): number | undefined {
    for (const socket of this.#sockets) socket.destroy();
    return this.#heardMs;
  }
}
