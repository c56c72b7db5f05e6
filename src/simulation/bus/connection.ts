/** What a bus client shares among its calls: the connection, whose time it is, and the end of everything. */
import { BusUnavailableError } from '../../bus/bus.js';
import { offAbort, onAbort } from '../kernel/abort.js';
import type { CallEnd, Link } from '../kernel/link.js';
import type { Reply, Request } from './messages.js';

export const CALL_TIMEOUT_MS = 500;
/** A blocked read is given so much longer than it may block, as the real adapter gives its sockets. */
const BLOCK_GRACE_MS = 1_500;

const CLOSED = 'the bus is closed';

export interface Cluster {
  /** Why a write that was just confirmed stands on one server alone; undefined: a copy has it, or none is kept. */
  unreplicated(): string | undefined;
  /** The time that a copy takes to confirm, or that is waited for one in vain. */
  readonly confirmMs: number;
  /** Whose positions and data these are now. */
  identity(): string;
}

export interface ConnectionParts {
  readonly link: Link<Request, Reply>;
  readonly cluster: Cluster;
  /** The kernel's time at a reading of the process's clock. */
  readonly trueTime: (monotonicMs: number) => number;
  readonly sleep: (delayMs: number) => Promise<void>;
}

export class BusConnection {
  readonly #parts: ConnectionParts;
  #waitsNoMore = false;
  #closed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  get closed(): boolean {
    return this.#closed || this.#waitsNoMore;
  }

  get identity(): string {
    return this.#parts.cluster.identity();
  }

  trueTime(monotonicMs: number): number {
    return this.#parts.trueTime(monotonicMs);
  }

  /** Reports and never throws. */
  write(request: Request, timeoutMs: number): Promise<CallEnd<Reply>> {
    return this.#parts.link.call(request, request.ask, timeoutMs);
  }

  /** Throws {@link BusUnavailableError} where no answer comes. */
  ask(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.mustBeOpen();
      this.#parts.link.send(request, { what: request.ask, timeoutMs: CALL_TIMEOUT_MS, waitMs: 0 }, (end) => tell(end, resolve, reject));
    });
  }

  /** As {@link ask}, for what may block; undefined: the signal aborted first. */
  wait(request: Request, blockMs: number, signal: AbortSignal | undefined): Promise<Reply | undefined> {
    if (blockMs === 0) return this.ask(request);
    return new Promise((resolve, reject) => {
      this.mustBeOpen();
      if (signal?.aborted === true) return resolve(undefined);
      const abort = () => resolve(undefined);
      if (signal !== undefined) onAbort(signal, abort);
      this.#parts.link.send(request, { what: request.ask, timeoutMs: blockMs + BLOCK_GRACE_MS, waitMs: blockMs }, (end) => {
        if (signal !== undefined) offAbort(signal, abort);
        tell(end, resolve, reject);
      });
    });
  }

  async unreplicated(timeoutMs: number): Promise<string | undefined> {
    const { cluster, sleep } = this.#parts;
    const alone = cluster.unreplicated();
    if (alone !== undefined) await sleep(timeoutMs);
    else if (cluster.confirmMs > 0) await sleep(cluster.confirmMs);
    return alone;
  }

  /** Blocked calls end; claims can still be handed back. */
  stopWaiting(): void {
    this.#waitsNoMore = true;
    this.#parts.link.endWaits(CLOSED);
  }

  close(): void {
    this.#closed = true;
    this.stopWaiting();
  }

  mustBeOpen(): void {
    if (this.closed) throw new BusUnavailableError(CLOSED);
  }

  /** For handing back while the bus closes. */
  async askWhileClosing(request: Request): Promise<Reply> {
    return answerOf(await this.#parts.link.call(request, request.ask, CALL_TIMEOUT_MS));
  }
}

function answerOf(end: CallEnd<Reply>): Reply {
  if (!end.answered) throw new BusUnavailableError(end.detail);
  if (end.reply.kind === 'refused') throw new BusUnavailableError(`the server refused: ${end.reply.why}`);
  return end.reply;
}

function tell(end: CallEnd<Reply>, resolve: (reply: Reply) => void, reject: (error: unknown) => void): void {
  if (end.answered && end.reply.kind !== 'refused') return resolve(end.reply);
  try {
    resolve(answerOf(end));
  } catch (error) {
    reject(error);
  }
}
