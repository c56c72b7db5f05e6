/** The files of a consumer group: `<id>.<attempt>.claim`, `<id>.<attempt>.released` and `<id>.ack`. */
import { messageOf, systemCodeOf } from '../../errors.js';
import { BusUnavailableError } from '../bus.js';
import { DEFAULT_APPEND_TIMEOUT_MS } from '../policy.js';
import { type JournalContext, mustBeOpen, refusal, syncDirectory, syncFile } from './context.js';
import type { JournalFiles } from './files.js';

const RENEWAL = Buffer.from('.');

export interface ClaimFiles {
  readonly context: JournalContext;
  readonly directory: string;
}

function claimPath({ directory }: ClaimFiles, id: string, attempt: number): string {
  return `${directory}/${id}.${attempt}.claim`;
}

function ackPath({ directory }: ClaimFiles, id: string): string {
  return `${directory}/${id}.ack`;
}

function releasedPath({ directory }: ClaimFiles, id: string, attempt: number): string {
  return `${directory}/${id}.${attempt}.released`;
}

export function isAcked(files: ClaimFiles, id: string): boolean {
  return files.context.files.exists(ackPath(files, id));
}

/** Creates the claim `attempt` if nobody has. Throws {@link BusUnavailableError} where that cannot be told. */
export function createClaim(files: ClaimFiles, id: string, attempt: number, consumer: string): 'won' | 'taken' | 'acked' {
  const { context } = files;
  const path = claimPath(files, id, attempt);
  let fd: number;
  try {
    fd = context.files.open(path, 'create');
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return 'taken';
    throw new BusUnavailableError(`${path}: cannot claim: ${messageOf(error)}`, { cause: error });
  }
  try {
    context.files.write(fd, Buffer.from(`${consumer}\n`));
  } catch (error) {
    // A claim without a signature holds all the same; only its owner is unknown to others.
    context.logger.warn({ path, error: messageOf(error) }, 'could not sign a claim');
  } finally {
    context.files.close(fd);
  }
  // The acknowledgement may have come between our last look and the claim, and its claims may be gone with it.
  if (!isAcked(files, id)) return 'won';
  remove(context, path);
  return 'acked';
}

/** Moves the renewal counter on. False: the message was acknowledged, handed back, or claimed by another since. */
export function renewClaim(files: ClaimFiles, id: string, attempt: number): boolean {
  const { context } = files;
  mustBeOpen(context);
  const exists = (name: string) => context.files.exists(name);
  if (isAcked(files, id) || exists(claimPath(files, id, attempt + 1)) || exists(releasedPath(files, id, attempt))) return false;
  const path = claimPath(files, id, attempt);
  try {
    const fd = context.files.open(path, 'append');
    try {
      countOn(context.files, fd);
    } finally {
      context.files.close(fd);
    }
    return true;
  } catch (error) {
    // The claim is removed once its message is acknowledged.
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw new BusUnavailableError(`${path}: cannot renew: ${messageOf(error)}`, { cause: error });
  }
}

// The counter is the size; where the disk is full it is the file's time, which takes no space.
function countOn(files: JournalFiles, fd: number): void {
  try {
    files.write(fd, RENEWAL);
  } catch (error) {
    if (refusal(error).reason !== 'no_space') throw error;
    files.stamp(fd, files.statOpen(fd).mtimeMs / 1_000 + 0.01);
  }
}

/** False: it was acknowledged before. Throws {@link BusUnavailableError} where it is not sure that it will be remembered. */
export async function acknowledge(files: ClaimFiles, id: string, attempt: number): Promise<boolean> {
  mustBeOpen(files.context);
  const { context, directory } = files;
  const path = ackPath(files, id);
  let fd: number;
  try {
    fd = context.files.open(path, 'create');
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw new BusUnavailableError(`${path}: cannot acknowledge: ${messageOf(error)}`, { cause: error });
  }
  const file = await syncFile(context, fd, DEFAULT_APPEND_TIMEOUT_MS, () => context.files.close(fd));
  const name = await syncDirectory(context, directory, DEFAULT_APPEND_TIMEOUT_MS);
  for (const synced of [file, name]) {
    if (!synced.durable) throw new BusUnavailableError(`${path}: acknowledged, but not surely durable: ${synced.detail}`);
  }
  // The acknowledgement stays for ever; the claims behind it are of no more use.
  for (let earlier = attempt; earlier >= 1; earlier -= 1) {
    remove(context, claimPath(files, id, earlier));
    if (context.files.exists(releasedPath(files, id, earlier))) remove(context, releasedPath(files, id, earlier));
  }
  return true;
}

/** Hands the message back. Where that fails the claim grows old by itself. */
export function releaseClaim(files: ClaimFiles, id: string, attempt: number): void {
  if (isAcked(files, id)) return;
  const { context } = files;
  const path = releasedPath(files, id, attempt);
  try {
    context.files.close(context.files.open(path, 'create'));
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') context.logger.warn({ path, error: messageOf(error) }, 'could not hand a message back');
  }
}

function remove(context: JournalContext, path: string): void {
  try {
    context.files.unlink(path);
  } catch (error) {
    context.logger.debug({ path, error: messageOf(error) }, 'could not remove a claim');
  }
}
