/** A run that is killed at any point leaves no process and no file: its guards see to it, or the doctor where they were killed as well. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processState } from '../../../src/chaos/capabilities/procStat.js';
import { eventually } from '../../support/eventually.js';

const MAIN = join(import.meta.dirname, '../../../dist/cli/main.js');

/** Where the run, and everyone that it starts, makes temporary files: what is left shows there. */
let ground: string;
let run: ChildProcess | undefined;

beforeEach(() => {
  ground = mkdtempSync(join(tmpdir(), 'failflat-killed-'));
});
afterEach(() => {
  run?.kill('SIGKILL');
  for (const { pid } of processesHere()) process.kill(pid, 'SIGKILL');
  rmSync(ground, { recursive: true, force: true });
});

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended in between.
    return '';
  }
};

/** Those that were started with a directory below ours for their temporary files. */
function processesHere(): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && read(`/proc/${pid}/environ`).includes(`TMPDIR=${ground}/`))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') }))
    .filter(({ command }) => command !== '');
}

const filesHere = () => readdirSync(ground, { recursive: true }).filter((name) => !/^failflat-undo-\d+$/.test(String(name)));

/** Resolves when the run has said so. */
async function startRun(scenario: string, until: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [MAIN, 'chaos', 'run', scenario, '--scale', '3', '--positions', '2', '--output-dir', ground], {
    env: { ...process.env, TMPDIR: ground },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  run = child;
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await eventually(() => (said.includes(until) ? true : undefined), { timeoutMs: 60_000 });
  return child;
}

const end = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });

function doctor(): { readonly status: number | null; readonly stdout: string } {
  return spawnSync(process.execPath, [MAIN, 'doctor', '--undo'], { env: { ...process.env, TMPDIR: ground }, encoding: 'utf8' });
}

const nothingRuns = () => eventually(() => (processesHere().length === 0 ? true : undefined), { timeoutMs: 10_000 });

describe('a run that is killed', () => {
  it.each(['Chaos:', 'venue listens', 'trading is ACTIVE', 'SIGSTOP to exit-brain'])(
    'at "%s" leaves no process, and no file that the doctor does not take away',
    { timeout: 120_000 },
    async (point) => {
      await end(await startRun('frozen_process', point));
      await nothingRuns();
      expect(doctor().status).toBe(0);
      expect(filesHere()).toEqual([]);
      expect(doctor().stdout).toBe('Nothing is left.\n');
    },
  );

  it('with its guards killed first leaves its processes, one of them stopped; the doctor ends them all', { timeout: 120_000 }, async () => {
    const child = await startRun('frozen_process', 'SIGSTOP to exit-brain');
    for (const { pid, command } of processesHere()) if (command.startsWith('sh -c')) process.kill(pid, 'SIGKILL');
    await end(child);
    const left = processesHere();
    expect(left.length).toBeGreaterThanOrEqual(5);
    const states = await Promise.all(left.map(({ pid }) => processState(pid)));
    expect(states).toContain('T');
    const { status, stdout } = doctor();
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/^done {2}ended \d+ processes of /m);
    expect(processesHere()).toEqual([]);
    expect(filesHere()).toEqual([]);
  });
});
