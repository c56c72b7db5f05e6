/** What takes a fault back that would outlive the process that made it: named so that nothing else can be meant by it. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { processState, startTicksOf, temporaryDirectoryOf } from '../capabilities/procStat.js';

/** A process id alone may be another's by now: with the tick of its start it is one process for good. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

export type UndoAction =
  | ({ readonly kind: 'end-process' } & ProcessIdentity)
  | ({ readonly kind: 'continue-process' } & ProcessIdentity)
  /** Every process that was started with this directory for its temporary files: a name that no other run has. */
  | { readonly kind: 'end-processes-of'; readonly path: string }
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
    return { action, ...(await carriedOut(action)) };
  } catch (error) {
    return { action, outcome: 'failed', detail: messageOf(error) };
  }
}

function carriedOut(action: UndoAction): Promise<Omit<Undone, 'action'>> {
  if (action.kind === 'remove-directory') return removeDirectory(action.path);
  return action.kind === 'end-processes-of' ? endProcessesOf(action.path) : undoAtProcess(action);
}

/** Looked for anew until none is found: one may have been on the point of starting another. */
async function endProcessesOf(path: string): Promise<Omit<Undone, 'action'>> {
  if (!isOwnDirectory(path)) return { outcome: 'failed', detail: `${path} is no directory that a rig makes` };
  const ended = new Set<number>();
  const untilMs = systemClock.monotonicMs() + GONE_MS;
  for (let found = await processesOf(path); found.length > 0; found = await processesOf(path)) {
    if (systemClock.monotonicMs() > untilMs)
      return { outcome: 'failed', detail: `processes ${found.join(', ')} are still there ${GONE_MS} ms after SIGKILL` };
    for (const pid of found) endIfThere(pid);
    for (const pid of found) ended.add(pid);
    await systemClock.sleep(10);
  }
  return ended.size === 0
    ? { outcome: 'nothing_left', detail: `no process of ${path} is left` }
    : { outcome: 'undone', detail: `ended ${ended.size} processes of ${path}` };
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the signal.
  }
}

/** Never this process itself: what it was started with says nothing of what it has set since. */
async function processesOf(path: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter((pid) => Number.isSafeInteger(pid) && pid > 1);
  const isOf = async (pid: number) =>
    pid !== process.pid && (await temporaryDirectoryOf(pid)) === path && (await processState(pid)) !== 'Z';
  const found = await Promise.all(pids.map(async (pid) => ((await isOf(pid)) ? [pid] : [])));
  return found.flat();
}

async function removeDirectory(path: string): Promise<Omit<Undone, 'action'>> {
  if (!isOwnDirectory(path)) return { outcome: 'failed', detail: `${path} is no directory that a rig makes` };
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return { outcome: 'nothing_left', detail: `${path} is not there any more` };
  if (!found.isDirectory()) return { outcome: 'failed', detail: `${path} is no directory` };
  await rm(path, { recursive: true, force: true });
  return { outcome: 'undone', detail: `removed ${path}` };
}

async function undoAtProcess({ kind, pid, startTicks }: Extract<UndoAction, ProcessIdentity>): Promise<Omit<Undone, 'action'>> {
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
