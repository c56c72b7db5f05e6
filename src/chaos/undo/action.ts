/** What takes a fault back that would outlive the process that made it: named so that nothing else can be meant by it. */
import { lstat, rm } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { processState, startTicksOf } from '../capabilities/procStat.js';

/** A process id alone may be another's by now: with the tick of its start it is one process for good. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

export type UndoAction =
  | ({ readonly kind: 'end-process' } & ProcessIdentity)
  | ({ readonly kind: 'continue-process' } & ProcessIdentity)
  | { readonly kind: 'remove-directory'; readonly path: string };

export interface Undone {
  readonly action: UndoAction;
  /** `nothing_left`: it had gone already. */
  readonly outcome: 'undone' | 'nothing_left' | 'failed';
  readonly detail: string;
}

const GONE_MS = 2_000;
/** As `mkdtemp` names the directories of a rig. */
const OWN_DIRECTORY = /^(failflat-[a-z]+|drill)-[A-Za-z0-9]{6}$/;

export const isOwnDirectory = (path: string): boolean => isAbsolute(path) && OWN_DIRECTORY.test(basename(path));

/** Never rejects. */
export async function undo(action: UndoAction): Promise<Undone> {
  try {
    const outcome = action.kind === 'remove-directory' ? await removeDirectory(action.path) : await undoAtProcess(action);
    return { action, ...outcome };
  } catch (error) {
    return { action, outcome: 'failed', detail: messageOf(error) };
  }
}

async function removeDirectory(path: string): Promise<Omit<Undone, 'action'>> {
  if (!isOwnDirectory(path)) return { outcome: 'failed', detail: `${path} is no directory that a rig makes` };
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return { outcome: 'nothing_left', detail: `${path} is not there any more` };
  if (!found.isDirectory()) return { outcome: 'failed', detail: `${path} is no directory` };
  await rm(path, { recursive: true, force: true });
  return { outcome: 'undone', detail: `removed ${path}` };
}

async function undoAtProcess({
  kind,
  pid,
  startTicks,
}: Exclude<UndoAction, { kind: 'remove-directory' }>): Promise<Omit<Undone, 'action'>> {
  const isThere = async () => (await startTicksOf(pid)) === startTicks && (await processState(pid)) !== 'Z';
  if (!(await isThere())) return { outcome: 'nothing_left', detail: `process ${pid} has ended` };
  if (kind === 'continue-process') {
    process.kill(pid, 'SIGCONT');
    return { outcome: 'undone', detail: `process ${pid} goes on` };
  }
  process.kill(pid, 'SIGKILL');
  const untilMs = systemClock.monotonicMs() + GONE_MS;
  while (await isThere()) {
    if (systemClock.monotonicMs() > untilMs)
      return { outcome: 'failed', detail: `process ${pid} is still there ${GONE_MS} ms after SIGKILL` };
    await systemClock.sleep(5);
  }
  return { outcome: 'undone', detail: `ended process ${pid}` };
}
