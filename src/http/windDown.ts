/** Closes a server in order: notice first, then no new connections, then what is in flight, and at the end the knife. */
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { onShutdown } from '../process/shutdown.js';
import type { ShutdownGate } from '../shutdownGate/gate.js';
import { shutdownGate } from '../shutdownGate/processGate.js';
import type { Connections } from './connections.js';
import type { HttpSettings } from './options.js';

export interface WindDownDeps {
  readonly settings: Pick<HttpSettings, 'clock' | 'gate' | 'noticeMs' | 'closeTimeoutMs'>;
  readonly connections: Connections;
  /** Stops listening; resolves when every connection is closed. It may reject: the connections are cut all the same. */
  readonly stop: () => Promise<void>;
}

/** After its connections were cut a server says within so long that it is closed. */
const CUT_MS = 100;

export class WindDown {
  readonly #deps: WindDownDeps;
  readonly #clock: Clock;
  readonly #release: () => void;
  readonly #notice = new AbortController();
  #requestedMs: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: WindDownDeps) {
    this.#deps = deps;
    const { gate, clock } = deps.settings;
    this.#clock = clock;
    const begin = (): void => {
      this.#requestedMs ??= clock.monotonicMs();
      deps.connections.leave();
      // Nobody waits for it: how it ended, the server itself has said.
      if (!isProcessWide(gate)) this.close().catch(() => undefined);
    };
    const unregister = isProcessWide(gate) ? this.#register() : () => {};
    let stopListening = (): void => {};
    if (gate.requested) begin();
    else stopListening = onAbort(gate.signal, begin);
    this.#release = () => {
      unregister();
      stopListening();
    };
  }

  // The transport goes last: while orders drain, the server still answers.
  #register(): () => void {
    const { noticeMs, closeTimeoutMs } = this.#deps.settings;
    const timeoutMs = noticeMs + closeTimeoutMs + CUT_MS;
    const hook = onShutdown(({ signal }) => this.close(signal), { name: 'http server', timeoutMs });
    return () => hook.unregister();
  }

  /** Nobody is to close it any more. */
  release(): void {
    this.#release();
  }

  /** Closes it without any more notice. Rejects as {@link close} does. */
  closeNow(): Promise<void> {
    this.#notice.abort();
    return this.close();
  }

  /** Rejects as `stop` does, after all is closed. An abort of `hurry` cuts at once what is in flight. */
  close(hurry: AbortSignal = new AbortController().signal): Promise<void> {
    this.#closing ??= this.#close(hurry);
    return this.#closing;
  }

  async #close(hurry: AbortSignal): Promise<void> {
    const { connections, stop, settings } = this.#deps;
    const noticeMs = this.#requestedMs === undefined ? 0 : this.#requestedMs + settings.noticeMs - this.#clock.monotonicMs();
    hurry.addEventListener('abort', () => this.#notice.abort(), { once: true });
    await this.#clock.sleep(Math.max(0, noticeMs), this.#notice.signal);
    const stopped = stop();
    const closed = stopped.catch(() => undefined);
    connections.closeIdle();
    await settleWithin(this.#clock, Promise.race([closed, abortOf(hurry)]), settings.closeTimeoutMs);
    connections.cut();
    await settleWithin(this.#clock, stopped, CUT_MS);
  }
}

function isProcessWide(gate: ShutdownGate): boolean {
  return gate.protocol === shutdownGate.protocol;
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
