/** What the parts of one journal handle share, and the few system calls that they all need. */
import { dirname, join } from 'node:path';
import type { Clock } from '../../clock.js';
import { settleWithin } from '../../deadline.js';
import { messageOf, systemCodeOf } from '../../errors.js';
import type { Logger } from '../../logger.js';
import type { Random } from '../../random.js';
import { type AppendRefusal, BusUnavailableError } from '../bus.js';
import type { Wakeups } from '../waiting.js';
import type { FlushFile, JournalFiles } from './files.js';
import type { JournalHost } from './names.js';

export interface JournalContext {
  readonly root: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Names this life of this handle. */
  readonly generation: string;
  readonly host: JournalHost;
  /** Aborted when the handle closes. */
  readonly closing: AbortSignal;
  /** Woken when the handle closes. */
  readonly closed: Wakeups;
  /** How long what others left behind must stand still in our eyes before we remove it. */
  readonly leftoverAgeMs: number;
  /** How long a wait lasts before the next look, for a directory watch can miss, and safety may not depend on it. */
  readonly pollMs: number;
  readonly files: JournalFiles;
  readonly flushFile: FlushFile;
}

export const LEFTOVER_AGE_MS = 600_000;
export const POLL_MS = 50;

export const FORMAT_FILE = 'journal.json';

export const REFUSED_AS_CLOSED = { outcome: 'refused', reason: 'closed', detail: 'the bus is closed' } as const;

/** Throws {@link BusUnavailableError} on a handle that was closed. */
export function mustBeOpen({ closing }: Pick<JournalContext, 'closing'>): void {
  if (closing.aborted) throw new BusUnavailableError(REFUSED_AS_CLOSED.detail);
}

/** What a failed system call says of an append: nothing was written, and why. */
export function refusal(error: unknown): { readonly outcome: 'refused'; readonly reason: AppendRefusal; readonly detail: string } {
  const code = systemCodeOf(error);
  const detail = messageOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return { outcome: 'refused', reason: 'no_space', detail };
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return { outcome: 'refused', reason: 'read_only', detail };
  return { outcome: 'refused', reason: 'unavailable', detail };
}

/** The identity of the journal that stands at `root` now. Throws {@link BusUnavailableError} where none does. */
export function currentIdentity({ root, files }: Pick<JournalContext, 'root' | 'files'>): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(files.readAll(join(root, FORMAT_FILE)).toString('utf8'));
  } catch (error) {
    throw new BusUnavailableError(`${root}: no journal stands here any more: ${messageOf(error)}`, { cause: error });
  }
  const identity = typeof parsed === 'object' && parsed !== null && 'identity' in parsed ? parsed.identity : undefined;
  if (typeof identity !== 'string') throw new BusUnavailableError(`${root}: ${FORMAT_FILE} names no identity`);
  return identity;
}

/** Makes a directory of the journal, but never the journal itself: one that was removed must be opened anew by a person. */
export function ensureDirectory(context: JournalContext, ...parts: readonly string[]): string {
  const path = join(context.root, ...parts);
  if (context.files.stat(path) !== undefined) return path;
  currentIdentity(context);
  makeDirectories(context.files, path);
  return path;
}

/** Step by step: Node's own recursive call never returns where the parent exists and takes no directory (as in /proc). */
export function makeDirectories(files: JournalFiles, path: string): void {
  const isThere = () => files.stat(path)?.isDirectory() === true;
  if (isThere()) return;
  if (dirname(path) !== path) makeDirectories(files, dirname(path));
  try {
    files.makeDirectory(path);
  } catch (error) {
    // Another process may have been faster.
    if (systemCodeOf(error) !== 'EEXIST' || !isThere()) throw error;
  }
}

export type SyncOutcome = { readonly durable: true } | { readonly durable: false; readonly detail: string };

/** Waits for a flush no longer than `timeoutMs`. Never rejects. */
export async function withinDeadline(context: JournalContext, syncing: Promise<unknown>, timeoutMs: number): Promise<SyncOutcome> {
  try {
    const within = await settleWithin(context.clock, syncing, timeoutMs);
    return within.settled ? { durable: true } : { durable: false, detail: `fsync did not end within ${timeoutMs} ms` };
  } catch (error) {
    return { durable: false, detail: messageOf(error) };
  }
}

/** Flushes a file in the background, so that a slow disk costs the caller its deadline and not its event loop. */
export function syncFile(context: JournalContext, fd: number, timeoutMs: number, onSettled: () => void): Promise<SyncOutcome> {
  const syncing = new Promise<void>((resolve, reject) => {
    context.flushFile(fd, (error) => {
      onSettled();
      if (error === null) resolve();
      else reject(error);
    });
  });
  return withinDeadline(context, syncing, timeoutMs);
}

/** Flushes a directory, so that a new name in it survives the host. Rejects as the system does. */
export function flushDirectory({ files }: Pick<JournalContext, 'files'>, path: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const fd = files.open(path, 'read');
    files.flush(fd, (error) => {
      files.close(fd);
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** The same, within a deadline. */
export function syncDirectory(context: JournalContext, path: string, timeoutMs: number): Promise<SyncOutcome> {
  return withinDeadline(context, flushDirectory(context, path), timeoutMs);
}
