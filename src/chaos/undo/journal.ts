/** What must be taken back, written down before the fault is made, and taken back in reverse. */
import { closeSync, fsyncSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { lstat, readdir, readFile, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostIdentity } from '../../host.js';
import { RigError } from '../../rig/child.js';
import { startTicksOf } from '../capabilities/procStat.js';
import { type UndoAction, type Undone, undo } from './action.js';
import { doneLine, type JournalContent, ownerLine, planLine, readJournal } from './entry.js';

const SUFFIX = '.undo';

/** One for each user of the host. */
export function undoDirectory(): string {
  return join(tmpdir(), `failflat-undo-${process.geteuid?.() ?? 0}`);
}

export class UndoJournal {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #open = new Map<number, UndoAction>();
  #number = 0;

  private constructor(file: string, descriptor: number) {
    this.#file = file;
    this.#descriptor = descriptor;
  }

  /** Throws {@link RigError} where the directory is not this user's alone. */
  static async open(directory: string = undoDirectory()): Promise<UndoJournal> {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    await checkIsOwn(directory);
    const { pid, bootId } = hostIdentity();
    const startTicks = await startTicksOf(pid);
    const file = join(directory, `${pid}-${startTicks ?? 0}${SUFFIX}`);
    const journal = new UndoJournal(file, openSync(file, 'a', 0o600));
    journal.#write(ownerLine({ pid, startTicks, bootId }));
    return journal;
  }

  /** To be called before the fault is made: when it returns, the line is on the disk. Answers how it is called. */
  plan(action: UndoAction): number {
    this.#number += 1;
    this.#write(planLine(this.#number, action));
    this.#open.set(this.#number, action);
    return this.#number;
  }

  /** The fault is no more. */
  done(number: number): void {
    if (this.#open.delete(number)) this.#write(doneLine(number));
  }

  /** Takes back what is open, the last fault first; the journal stays where something could not be. */
  async close(): Promise<readonly Undone[]> {
    const undone: Undone[] = [];
    for (const [number, action] of [...this.#open].toReversed()) {
      const result = await undo(action);
      undone.push(result);
      if (result.outcome !== 'failed') this.done(number);
    }
    closeSync(this.#descriptor);
    if (this.#open.size === 0) unlinkSync(this.#file);
    return undone;
  }

  #write(line: string): void {
    writeSync(this.#descriptor, line);
    fsyncSync(this.#descriptor);
  }
}

export interface LeftJournal extends JournalContent {
  readonly file: string;
}

/** Journals whose owner has ended without taking everything back. */
export async function leftJournals(directory: string = undoDirectory()): Promise<readonly LeftJournal[]> {
  const names = await readdir(directory).catch(() => []);
  if (names.length === 0) return [];
  await checkIsOwn(directory);
  const left: LeftJournal[] = [];
  for (const name of names.filter((one) => one.endsWith(SUFFIX)).toSorted()) {
    const file = join(directory, name);
    const content = readJournal(await readFile(file, 'utf8').catch(() => ''));
    if (content !== undefined && !(await isAlive(content))) left.push({ ...content, file });
  }
  return left;
}

async function isAlive({ owner }: JournalContent): Promise<boolean> {
  const { pid, startTicks, bootId } = owner;
  return bootId === hostIdentity().bootId && startTicks !== undefined && (await startTicksOf(pid)) === startTicks;
}

/** Takes back what others have left, the last fault first; removes each journal of which nothing is left. */
export async function undoLeft(directory: string = undoDirectory()): Promise<readonly Undone[]> {
  const undone: Undone[] = [];
  for (const { file, open, owner } of await leftJournals(directory)) {
    const sameBoot = owner.bootId === hostIdentity().bootId;
    const results: Undone[] = [];
    for (const action of open.toReversed()) {
      if (sameBoot || action.kind === 'remove-directory') results.push(await undo(action));
      else results.push({ action, outcome: 'nothing_left', detail: 'its processes belonged to an earlier boot' });
    }
    undone.push(...results);
    if (results.every(({ outcome }) => outcome !== 'failed')) await unlink(file);
  }
  return undone;
}

/** In a directory for everyone, somebody else might have put it there first. */
async function checkIsOwn(directory: string): Promise<void> {
  const found = await lstat(directory);
  const isOwn = process.geteuid === undefined || found.uid === process.geteuid();
  if (!found.isDirectory() || !isOwn || (process.geteuid !== undefined && (found.mode & 0o022) !== 0))
    throw new RigError(`${directory} must be a directory of this user, that nobody else can write to`);
}
