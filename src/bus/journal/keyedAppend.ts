/** Appends a record that must exist once: written whole and flushed first, then given its one possible name. */
import { join } from 'node:path';
import { messageOf, systemCodeOf } from '../../errors.js';
import type { AppendOptions, AppendOutcome } from '../bus.js';
import { DEFAULT_APPEND_TIMEOUT_MS } from '../policy.js';
import { ensureDirectory, type JournalContext, REFUSED_AS_CLOSED, refusal, syncDirectory, syncFile } from './context.js';
import { keyedFile, recordId } from './names.js';

let temporaries = 0;

export type WholeFile = { readonly written: true; readonly path: string } | { readonly written: false; readonly refused: Refused };
type Refused = ReturnType<typeof refusal>;

/** Writes and flushes a file under a name that nobody reads. */
export async function writeTemporary(context: JournalContext, bytes: Buffer, timeoutMs: number): Promise<WholeFile> {
  temporaries += 1;
  let path: string;
  let fd: number;
  try {
    path = join(ensureDirectory(context, 'tmp'), `${context.generation}.${temporaries}`);
    fd = context.files.open(path, 'create');
  } catch (error) {
    return { written: false, refused: refusal(error) };
  }
  try {
    const written = context.files.write(fd, bytes);
    if (written < bytes.length) throw Object.assign(new Error(`${written} of ${bytes.length} bytes fitted`), { code: 'ENOSPC' });
  } catch (error) {
    context.files.close(fd);
    discardTemporary(context, path);
    return { written: false, refused: refusal(error) };
  }
  const flushed = await syncFile(context, fd, timeoutMs, () => context.files.close(fd));
  if (flushed.durable) return { written: true, path };
  discardTemporary(context, path);
  return { written: false, refused: { outcome: 'refused', reason: 'unavailable', detail: flushed.detail } };
}

export function discardTemporary(context: JournalContext, path: string): void {
  try {
    context.files.unlink(path);
  } catch (error) {
    context.logger.debug({ path, error: messageOf(error) }, 'could not remove a temporary file');
  }
}

/** A name that could not be given. `unknown` where the system does not say that it surely was not. */
export function linkFailure(error: unknown): Refused | { readonly outcome: 'unknown'; readonly detail: string } {
  const refused = refusal(error);
  if (refused.reason !== 'unavailable' || systemCodeOf(error) === 'ENOENT') return refused;
  return { outcome: 'unknown', detail: refused.detail };
}

/** Never throws, and never leaves two records under one key: of several who try at once, one gives the name. */
export async function appendUnderKey(
  context: JournalContext,
  directory: string,
  bytes: Buffer,
  idempotencyKey: string,
  { notAfterMs, timeoutMs = DEFAULT_APPEND_TIMEOUT_MS }: AppendOptions,
): Promise<AppendOutcome> {
  const duplicate: AppendOutcome = { outcome: 'refused', reason: 'duplicate', detail: `${idempotencyKey} was appended before` };
  const name = keyedFile(idempotencyKey);
  const path = join(directory, name);
  const untilMs = context.clock.monotonicMs() + timeoutMs;
  // Whoever gave the name may not have flushed it yet, and who is told of a duplicate takes the record for kept.
  const flushedAs = async (outcome: AppendOutcome): Promise<AppendOutcome> => {
    for (const parent of [directory, join(context.root, 'streams')]) {
      const flushed = await syncDirectory(context, parent, Math.max(0, untilMs - context.clock.monotonicMs()));
      if (!flushed.durable) return { outcome: 'unknown', detail: flushed.detail };
    }
    return outcome;
  };
  if (context.files.exists(path)) return flushedAs(duplicate);
  const temporary = await writeTemporary(context, bytes, timeoutMs);
  if (!temporary.written) return temporary.refused;
  try {
    if (context.closing.aborted) return REFUSED_AS_CLOSED;
    if (notAfterMs !== undefined && context.clock.monotonicMs() > notAfterMs) {
      return { outcome: 'refused', reason: 'deadline_passed', detail: 'notAfterMs passed before the record was flushed' };
    }
    context.files.link(temporary.path, path);
  } catch (error) {
    return systemCodeOf(error) === 'EEXIST' ? await flushedAs(duplicate) : linkFailure(error);
  } finally {
    discardTemporary(context, temporary.path);
  }
  return flushedAs({ outcome: 'committed', id: recordId(name, 0) });
}
