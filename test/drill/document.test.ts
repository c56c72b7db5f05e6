/** The drill's document, its exit codes, and what it leaves behind. */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDrill, shown } from './runDrill.js';

const FIELDS = [
  'verdict',
  'seed',
  'bus',
  'checks',
  'timings',
  'positionsAtKill',
  'positionsAfter',
  'openOrdersAfter',
  'tradingState',
  'flatVerdict',
  'panics',
  'incidents',
  'ordersAttemptedAfterHalt',
  'ordersAfterHalt',
  'exposureIncreasedByExit',
  'closedTwice',
];

describe('failflat drill --json', () => {
  it('prints one document with every field, uses only a fresh subdirectory of --bus, and leaves nothing there', {
    timeout: 90_000,
  }, async () => {
    const parent = mkdtempSync(join(tmpdir(), 'failflat-given-'));
    const run = await runDrill('--bus', `journal:${parent}`, '--fault', 'panic-twice', '--repeat', '2', '--positions', '3', '--seed', '7');
    expect(run.code, shown(run)).toBe(0);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.keys(run.document)).toEqual(expect.arrayContaining(FIELDS));
    expect(run.document.seed).toBe(7);
    expect(run.document.bus.startsWith(`journal:${parent}`)).toBe(true);
    for (const name of ['killToPanicMs', 'panicToBookEmptyMs', 'panicToFlatVerifiedMs', 'killToFlatVerifiedMs']) {
      expect(run.document.timings[name]).toHaveLength(2);
    }
    for (const check of run.document.checks) expect(check.evidence).not.toBe('');
    expect(readdirSync(parent)).toEqual([]);
  });

  it.each([
    ['--kill', 'venue', '--kill = "venue": must be one of brain, worker, watchdog, brain+worker, bus-master'],
    ['--positions', '0', '--positions = "0": must be a whole number between 1 and 500'],
    ['--scale', '0.5', '--scale'],
    ['--sabotage', 'none', 'sabotage = "none": must be one of no-watchdog'],
    ['--bus', 'memory:', 'bus'],
    ['--bars', '/nowhere/bars.csv', '/nowhere/bars.csv'],
  ])('refuses %s %s in one line, with exit code 2', { timeout: 30_000 }, async (option, value, words) => {
    const run = await runDrill(option, value).catch((error: unknown) => error);
    expect(run).toMatchObject({ code: 2 });
    const { stderr } = run as { readonly stderr: string };
    expect(stderr.split('\n')[0]).toContain(words);
  });

  it('refuses a bar file whose cell is wrong, naming line and value', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'failflat-bars-')), 'bars.csv');
    writeFileSync(file, 'Date,Open,High,Low,Close,Adj Close,Volume\n2015-08-24,1,2,0.5,abc,1,1\n');
    const run = await runDrill('--bars', file);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('abc');
  });
});
