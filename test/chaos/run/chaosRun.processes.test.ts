/** `failflat chaos run` on real processes: a real fault is judged on evidence, and a fault that nobody knows is refused. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type SchemaName, schemaNamed } from '../report/schemas.js';
import { chaosRun, shown } from './chaosRun.js';

const Incident = z.object({ control_plane_dumps: z.number(), safeguards_triggered: z.array(z.object({ event: z.string() })) });

const FILES: readonly SchemaName[] = ['incident', 'control_plane_dumps', 'resource_metrics_timeline', 'consistency_checks'];

describe('a real run', () => {
  it('L1 S5 S6 S7: a brain whose beats are corrupted ends in a flat book, and every file of its report fits its schema', {
    timeout: 120_000,
  }, () => {
    const run = chaosRun('memory_corruption', '--scale', '2', '--positions', '3', '--dump-every', '1s');
    expect(run.status, shown(run)).toBe(0);
    expect(run.document?.verdicts).toEqual(['PASSED']);
    expect(run.campaigns).toHaveLength(1);
    schemaNamed('chaos_resilience_validation').parse(JSON.parse(run.read('chaos_resilience_validation.json')));
    for (const file of FILES) schemaNamed(file).parse(JSON.parse(run.read(`memory_corruption/${file}.json`)));
    const incident = Incident.parse(JSON.parse(run.read('memory_corruption/incident.json')));
    expect(incident.control_plane_dumps).toBeGreaterThan(8);
    expect(incident.safeguards_triggered.map(({ event }) => event)).toContain('state.halted');
    expect(run.read('report.html')).toContain('<span class="pill good">PASSED</span>');
    expect(run.read('junit.xml')).toContain('<testsuites tests="1" failures="0" errors="0">');
  });

  it('a scenario whose safeguard is missing is red on evidence, with exit code 1 and a page that says what to look at first', {
    timeout: 120_000,
  }, () => {
    const run = chaosRun('snapshot_corruption', '--scale', '2', '--positions', '3', '--sabotage', 'own');
    expect(run.status, shown(run)).toBe(1);
    expect(run.document?.verdicts).toEqual(['FAILED']);
    expect(run.read('report.html')).toMatch(/Look at this first<\/b><ol><li>L4\.outage/);
    expect(run.read('junit.xml')).toContain('<testsuites tests="1" failures="1" errors="0">');
  });
});

it.each([
  [['nonsense'], 'scenario = "nonsense": must be one of guardian_process_crash, '],
  [['memory_corruption', '--dump-every', '1ms'], 'dump-every = 1: must be '],
  [['disk_full', '--bus', 'redis://127.0.0.1:1'], 'bus = '],
  [['disk_full', '--sabotage', 'nonsense'], 'sabotage = "nonsense": must be one of '],
])('%s is refused in one line, with exit code 2', (args, said) => {
  const run = chaosRun(...args);
  expect(run.status).toBe(2);
  expect(run.stderr.split('\n')[0]).toContain(said);
  expect(run.campaigns).toEqual([]);
});
