/** Connections for reads that wait: each waiting read has one of its own, since it holds up all that follows on it. */
import type { Link } from './link.js';
import type { RedisArgument } from './seam.js';

/** How much later than the end of its wait an answer may come before the connection counts as dead. */
const GRACE_MS = 1_500;
/** How long a new connection may take. */
const READY_MS = 500;

export class Readers {
  readonly #make: (name: string) => Link;
  readonly #idle: Link[] = [];
  readonly #all: Link[] = [];

  constructor(make: (name: string) => Link) {
    this.#make = make;
  }

  /**
   * Sends a command that waits at most `blockMs` at the server. The signals end the waiting here; the connection is free
   * again when the server has answered. What `call` is handed is the connection that will carry the command.
   */
  async waiting(
    call: (link: Link) => Promise<readonly [command: string, args: readonly RedisArgument[]]>,
    blockMs: number,
    signals: readonly AbortSignal[],
  ): Promise<unknown> {
    const link = this.#idle.pop() ?? this.#another();
    const answered = (async () => {
      try {
        await link.ready(READY_MS);
        const [command, args] = await call(link);
        return await link.call(command, args, blockMs + GRACE_MS);
      } finally {
        this.#idle.push(link);
      }
    })();
    return untilAborted(answered, signals);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((link) => link.close()));
  }

  #another(): Link {
    const link = this.#make(`reader-${this.#all.length + 1}`);
    this.#all.push(link);
    return link;
  }
}

/** Undefined when a signal came first; what was asked for goes on, and its failure is nobody's any more. */
function untilAborted(answered: Promise<unknown>, signals: readonly AbortSignal[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const abort = () => end(() => resolve(undefined));
    const end = (settle: () => void) => {
      for (const signal of signals) signal.removeEventListener('abort', abort);
      settle();
    };
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
    answered.then(
      (answer) => end(() => resolve(answer)),
      (error: unknown) => end(() => reject(error)),
    );
    if (signals.some((signal) => signal.aborted)) abort();
  });
}
