/** Whoever ends a drill half-way is left with nothing to clean up. */
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Workspace } from '../cli/cli.js';
import { runDrill } from './runDrill.js';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    // Nobody has this id any more.
    return false;
  }
};

it('a rig that fails prints one document all the same, in which nothing is counted that nobody saw', async () => {
  const run = await runDrill('--bus', 'redis://someone:secret@127.0.0.1:1', '--seed', '9');
  expect(run.code).toBe(3);
  expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(run.document).toMatchObject({
    verdict: 'error',
    seed: 9,
    runs: 1,
    bus: 'redis://…@127.0.0.1:1',
    checks: [],
    timings: { killToPanicMs: [], panicToBookEmptyMs: [], panicToFlatVerifiedMs: [], killToFlatVerifiedMs: [] },
    positionsAtKill: null,
    ordersAfterHalt: null,
    closedTwice: null,
  });
  expect(run.document.error).toContain('ECONNREFUSED');
  expect(run.stdout + run.stderr).not.toContain('secret');
});

it('a signal ends a drill with exit code 3, every process of it and its directory', async () => {
  const drill = workspace.start(['drill', '--scale', '5', '--verbose'], { TMPDIR: workspace.directory });
  await expect.poll(() => drill.stdout, { timeout: 15_000 }).toContain('beats flow');
  const pids = [...new Set([...drill.stderr.matchAll(/"pid":(\d+)/g)].map((match) => Number(match[1])))];
  const ended = await drill.stop('SIGINT');
  expect(ended.code, ended.stderr).toBe(3);
  expect(ended.stderr).toContain('Interrupted');
  expect(pids.length).toBeGreaterThan(0);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(readdirSync(workspace.directory)).toEqual([]);
});
