/** What would outlive a run is written down first and taken back in reverse: by the run itself, or by the doctor after its death. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processState, startTicksOf } from '../../../src/chaos/capabilities/procStat.js';
import { undo } from '../../../src/chaos/undo/action.js';
import { doneLine, ownerLine, planLine, readJournal } from '../../../src/chaos/undo/entry.js';
import { leftJournals, UndoJournal, undoLeft } from '../../../src/chaos/undo/journal.js';
import { hostIdentity } from '../../../src/host.js';
import { eventually } from '../../support/eventually.js';

let directory: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failflat-test-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

async function sleeper() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.push(child);
  const pid = child.pid ?? 0;
  const startTicks = await eventually(() => startTicksOf(pid), { timeoutMs: 5_000 });
  return { pid, startTicks };
}

const untilState = (pid: number, isSo: (state: string | undefined) => boolean) =>
  eventually(async () => (isSo(await processState(pid)) ? true : undefined), { timeoutMs: 5_000 });
const isOver = (state: string | undefined) => state === undefined || state === 'Z';

/** The journal of an owner that never lived. */
function writeDead(lines: readonly string[], bootId = hostIdentity().bootId): string {
  const file = join(directory, '99-1.undo');
  writeFileSync(file, [ownerLine({ pid: 2 ** 22 + 1, startTicks: 1, bootId }), ...lines].join(''));
  return file;
}

describe('an undo journal', () => {
  it('is on the disk before the fault, and takes back what is open, the last first', async () => {
    const journal = await UndoJournal.open(directory);
    const made = mkdtempSync(join(tmpdir(), 'failflat-test-'));
    const { pid, startTicks } = await sleeper();
    const first = journal.plan({ kind: 'remove-directory', path: made });
    journal.plan({ kind: 'end-process', pid, startTicks });
    const [file = ''] = readdirSync(directory);
    expect(readJournal(readFileSync(join(directory, file), 'utf8'))?.open).toEqual([
      { kind: 'remove-directory', path: made },
      { kind: 'end-process', pid, startTicks },
    ]);
    // Its owner lives: nobody else may touch what is its own.
    expect(await leftJournals(directory)).toEqual([]);
    const undone = await journal.close();
    expect(undone.map(({ action, outcome }) => [action.kind, outcome])).toEqual([
      ['end-process', 'undone'],
      ['remove-directory', 'undone'],
    ]);
    expect(existsSync(made)).toBe(false);
    expect(isOver(await processState(pid))).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
    expect(first).toBe(1);
  });

  it('is left to the doctor by an owner that died, who lets a stopped process go on, once', async () => {
    const { pid, startTicks } = await sleeper();
    process.kill(pid, 'SIGSTOP');
    await untilState(pid, (state) => state === 'T');
    const other = await sleeper();
    const file = writeDead([
      planLine(1, { kind: 'continue-process', pid, startTicks }),
      planLine(2, { kind: 'end-process', ...other }),
      doneLine(2),
      '{"number":3,"action":{"kind":"end-pro',
    ]);
    expect(await undoLeft(directory)).toMatchObject([{ outcome: 'undone', detail: `process ${pid} goes on` }]);
    await untilState(pid, (state) => state === 'S');
    expect(isOver(await processState(other.pid))).toBe(false);
    expect(existsSync(file)).toBe(false);
    expect(await undoLeft(directory)).toEqual([]);
  });

  it('never touches a process that only bears the same number, nor one of another boot', async () => {
    const { pid, startTicks } = await sleeper();
    writeDead([planLine(1, { kind: 'end-process', pid, startTicks: startTicks + 1 })]);
    expect(await undoLeft(directory)).toMatchObject([{ outcome: 'nothing_left' }]);
    writeDead([planLine(1, { kind: 'end-process', pid, startTicks })], 'another boot');
    expect(await undoLeft(directory)).toMatchObject([{ outcome: 'nothing_left' }]);
    expect(isOver(await processState(pid))).toBe(false);
  });

  it.each(['/etc', '/tmp', 'failflat-test-abcdef', '/home/failflat-undo'])('never removes %s', async (path) => {
    expect(await undo({ kind: 'remove-directory', path })).toMatchObject({ outcome: 'failed' });
  });

  it('never follows a link', async () => {
    const target = mkdtempSync(join(tmpdir(), 'failflat-test-'));
    const link = join(directory, 'failflat-link-abcdef');
    symlinkSync(target, link);
    expect(await undo({ kind: 'remove-directory', path: link })).toMatchObject({ outcome: 'failed' });
    expect(existsSync(target)).toBe(true);
    rmSync(target, { recursive: true });
  });

  it('is not believed where others could have written it', async () => {
    writeDead([]);
    chmodSync(directory, 0o777);
    await expect(undoLeft(directory)).rejects.toThrow('nobody else can write to');
    await expect(UndoJournal.open(directory)).rejects.toThrow('nobody else can write to');
  });

  it('keeps the journal where something could not be taken back', async () => {
    const file = writeDead([planLine(1, { kind: 'remove-directory', path: '/etc' })]);
    expect(await undoLeft(directory)).toMatchObject([{ outcome: 'failed' }]);
    expect(existsSync(file)).toBe(true);
  });
});
