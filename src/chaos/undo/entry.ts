/** The lines of an undo journal: whose it is, what takes a fault back, and what has been taken back. */
import type { UndoAction } from './action.js';

/** Who wrote the journal: while it lives, nobody else takes its faults back. */
export interface JournalOwner {
  readonly pid: number;
  /** Undefined where the system does not tell. */
  readonly startTicks: number | undefined;
  /** Of another boot, no process is left. */
  readonly bootId: string;
}

export interface JournalContent {
  readonly owner: JournalOwner;
  /** Not taken back yet, in the order in which the faults were made. */
  readonly open: readonly UndoAction[];
}

export const ownerLine = (owner: JournalOwner): string => `${JSON.stringify({ owner })}\n`;
export const planLine = (number: number, action: UndoAction): string => `${JSON.stringify({ number, action })}\n`;
export const doneLine = (number: number): string => `${JSON.stringify({ done: number })}\n`;

type Parsed = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Parsed => typeof value === 'object' && value !== null;

function actionFrom(value: unknown): UndoAction | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, pid, startTicks, path } = value;
  if (kind === 'remove-directory' || kind === 'end-processes-of') return typeof path === 'string' ? { kind, path } : undefined;
  if (kind !== 'end-process' && kind !== 'continue-process') return undefined;
  return Number.isSafeInteger(pid) && Number(pid) > 1 && typeof startTicks === 'number'
    ? { kind, pid: Number(pid), startTicks }
    : undefined;
}

function ownerFrom(value: unknown): JournalOwner | undefined {
  if (!isRecord(value) || typeof value['pid'] !== 'number' || typeof value['bootId'] !== 'string') return undefined;
  const { pid, bootId, startTicks } = value;
  return { pid, bootId, startTicks: typeof startTicks === 'number' ? startTicks : undefined };
}

/** A line that was cut off by a crash is the last one, and its fault was not made yet. Undefined: this is no undo journal. */
export function readJournal(text: string): JournalContent | undefined {
  let owner: JournalOwner | undefined;
  const open = new Map<number, UndoAction>();
  for (const line of text.split('\n')) {
    const value = parsed(line);
    if (!isRecord(value)) continue;
    owner ??= ownerFrom(value['owner']);
    const action = actionFrom(value['action']);
    if (action !== undefined && typeof value['number'] === 'number') open.set(value['number'], action);
    if (typeof value['done'] === 'number') open.delete(value['done']);
  }
  return owner === undefined ? undefined : { owner, open: [...open.values()] };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Cut off, or empty: there is nothing in it to take back.
    return undefined;
  }
}
