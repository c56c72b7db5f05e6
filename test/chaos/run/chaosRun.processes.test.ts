/** `failflat chaos run` on real processes: a real fault is judged on evidence, and a fault that nobody knows is refused. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const MAIN = join(import.meta.dirname, '../../../dist/cli/main.js');

function chaosRun(...args: readonly string[]) {
  const reports = mkdtempSync(join(tmpdir(), 'failflat-chaos-run-'));
  onTestFinished(() => rmSync(reports, { recursive: true, force: true }));
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'chaos', 'run', ...args, '--output-dir', reports], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr, campaigns: readdirSync(reports) };
}

it('L1 S5 S6 S7: a brain whose beats are corrupted ends in a flat book, and the run writes its report', { timeout: 90_000 }, () => {
  const run = chaosRun('memory_corruption', '--scale', '2', '--positions', '3');
  expect(run.status, run.stdout + run.stderr).toBe(0);
  expect(run.stdout).toMatch(/^PASSED: memory_corruption$/m);
  expect(run.stdout).toMatch(/^ {2}Dose: heartbeats that arrived and could not be understood [1-9]\d* beats/m);
  expect(run.campaigns).toHaveLength(1);
});

it('a scenario that is none is refused in one line, with exit code 2', () => {
  const run = chaosRun('nonsense');
  expect(run.status).toBe(2);
  expect(run.stderr.split('\n')[0]).toMatch(/^failflat: scenario = "nonsense": must be one of guardian_process_crash, /);
});
