/** What the parts of one handle share: its links, its clocks, and how keys are called. */
import type { Clock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { Random } from '../../random.js';
import { type AppendRefusal, BusUnavailableError } from '../bus.js';
import type { ServerFacts } from './connection.js';
import { type Link, NoReplyError, NotSentError } from './link.js';
import { runScript, type Script } from './scripts.js';
import { type RedisArgument, RedisReplyError } from './seam.js';
import type { Whereabouts } from './whereabouts.js';

/** How long a call without a deadline of its own waits for its answer. */
export const CALL_TIMEOUT_MS = 500;

export interface RedisContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly prefix: string;
  /** Aborted when the handle is closed. */
  readonly closing: AbortSignal;
  /** Reads that do not wait, and writes that do not wait for replicas. */
  readonly commands: Link;
  /** Writes that wait until a replica has them: what waits holds up all that follows on its connection. */
  readonly sureWrites: Link;
  readonly whereabouts: Whereabouts;
  /** Copies are kept: what must not be lost waits for one of them. */
  readonly replicated: () => boolean;
}

export const REFUSED_AS_CLOSED = { outcome: 'refused', reason: 'closed', detail: 'the bus is closed' } as const;

export interface RedisKeys {
  readonly stream: (name: string) => string;
  readonly latest: (stream: string) => string;
  readonly once: (stream: string) => string;
  readonly claims: (stream: string, group: string) => string;
  readonly latch: (name: string) => string;
  readonly changes: (latch: string) => string;
  readonly proof: (id: string) => string;
}

/** Streams and latches stand under the names that users of the original systems know; what is only ours is called so. */
export const keysOf = (prefix: string): RedisKeys => ({
  stream: (name: string): string => `${prefix}${name}`,
  latest: (stream: string): string => `${prefix}failflat:latest:${stream}`,
  once: (stream: string): string => `${prefix}failflat:once:${stream}`,
  claims: (stream: string, group: string): string => `${prefix}failflat:claims:${stream}:${group}`,
  latch: (name: string): string => `${prefix}${name}`,
  changes: (latch: string): string => `${prefix}failflat:changes:${latch}`,
  proof: (id: string): string => `${prefix}failflat:probe:${id}`,
});

export function mustBeOpen({ closing }: Pick<RedisContext, 'closing'>): void {
  if (closing.aborted) throw new BusUnavailableError('the bus is closed');
}

/** A call that reads, or whose failure the caller must hear of. Throws {@link BusUnavailableError} only. */
export async function ask(context: RedisContext, call: () => Promise<unknown>): Promise<unknown> {
  mustBeOpen(context);
  try {
    return await call();
  } catch (error) {
    mustBeOpen(context);
    if (error instanceof BusUnavailableError) throw error;
    throw new BusUnavailableError(messageOf(error), { cause: error });
  }
}

export function askScript(
  context: RedisContext,
  script: Script,
  keys: readonly string[],
  args: readonly RedisArgument[],
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<unknown> {
  return ask(context, () => runScript(context.commands, script, keys, args, timeoutMs));
}

/**
 * The moment `localMs` of this process on the server's clock, never later than it really is there: a command that bears it
 * cannot land after `localMs`. Undefined where there is no connection.
 */
export function onServersClock(link: Link, localMs: number): number | undefined {
  return link.serverClock?.at(localMs);
}

/** Runs one of our scripts that write: what became of it, and what it gave back. Its answer tells the server's time as well. */
export async function write(
  { clock }: Pick<RedisContext, 'clock'>,
  link: Link,
  script: Script,
  keys: readonly string[],
  args: readonly RedisArgument[],
  timeoutMs: number,
): Promise<readonly [verdict: string, detail: string]> {
  const sentMs = clock.monotonicMs();
  const reply = await runScript(link, script, keys, args, timeoutMs);
  const [verdict = 'nothing', serverMs, detail = ''] = Array.isArray(reply) ? reply.map(String) : [];
  link.serverClock?.observe({ sentMs, serverMs: Number(serverMs), receivedMs: clock.monotonicMs() });
  return [verdict, detail];
}

const NO_SPACE = new Set(['OOM']);
const READ_ONLY = new Set(['READONLY', 'NOREPLICAS', 'MISCONF']);
/** Where a reply says that it was not the script that was refused, but a command within. */
const WITHIN_SCRIPT = '@user_script';

/** What a failed write is reported as: surely not done, or nobody knows. */
export function writeFailure(
  error: unknown,
):
  | { readonly outcome: 'refused'; readonly reason: AppendRefusal; readonly detail: string }
  | { readonly outcome: 'unknown'; readonly detail: string } {
  const detail = messageOf(error);
  if (error instanceof NotSentError) return { outcome: 'refused', reason: 'unavailable', detail };
  if (error instanceof NoReplyError) return { outcome: 'unknown', detail };
  if (error instanceof RedisReplyError) {
    // These two are looked at before the first write. Any other refusal within a script may come behind a write that stands.
    if (NO_SPACE.has(error.kind)) return { outcome: 'refused', reason: 'no_space', detail };
    if (READ_ONLY.has(error.kind)) return { outcome: 'refused', reason: 'read_only', detail };
    return detail.includes(WITHIN_SCRIPT) ? { outcome: 'unknown', detail } : { outcome: 'refused', reason: 'unavailable', detail };
  }
  return { outcome: 'unknown', detail };
}

/** Waits on the connection of the write before it until a replica has that write. Undefined: one has it, or none is needed. */
export async function unreplicated(context: RedisContext, writtenOn: ServerFacts, timeoutMs: number): Promise<string | undefined> {
  if (!context.replicated()) return undefined;
  try {
    const copies = await context.sureWrites.copies(writtenOn, timeoutMs, timeoutMs + CALL_TIMEOUT_MS);
    if (copies < 1) context.whereabouts.suspect();
    return copies >= 1 ? undefined : `no replica confirmed the write within ${Math.round(timeoutMs)} ms`;
  } catch (error) {
    return `whether a replica has the write is unknown: ${messageOf(error)}`;
  }
}
