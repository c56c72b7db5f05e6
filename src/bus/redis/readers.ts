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
   * Sends a command that waits at most `blockMs` at the server. `signal` ends the waiting here, and so does the end of its connection; the connection is free
   * again when the server has answered. What `call` is handed is the connection that will carry the command.
   */
  async waiting(
    call: (link: Link) => Promise<readonly [command: string, args: readonly RedisArgument[]]>,
    blockMs: number,
    signal: AbortSignal | undefined,
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
    return untilAborted(answered, signal);
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

/** Undefined when the signal came first; what was asked for goes on, and its failure is nobody's any more. */
function untilAborted(answered: Promise<unknown>, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal === undefined) return answered;
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', abort);
      settle();
    };
    const abort = () => end(() => resolve(undefined));
    signal.addEventListener('abort', abort, { once: true });
    answered.then(
      (answer) => end(() => resolve(answer)),
      (error: unknown) => end(() => reject(error)),
    );
    if (signal.aborted) abort();
  });
}
