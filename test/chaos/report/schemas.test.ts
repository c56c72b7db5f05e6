/** The published JSON schemas: as strict as they claim to be. Real files are held against them where a real scenario is played. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { artifactOf } from '../../../src/chaos/report/artifact.js';
import { SCHEMAS, type SchemaName, schemaNamed } from './schemas.js';

it('there is one for every file that a program reads', () => {
  const names = readdirSync(SCHEMAS).map((file) => file.replace('.schema.json', ''));
  const expected: readonly SchemaName[] = [
    'chaos_resilience_validation',
    'chaos_suite',
    'consistency_checks',
    'control_plane_dumps',
    'incident',
    'resource_metrics_timeline',
  ];
  expect(names.toSorted()).toEqual(expected);
});

it('an empty campaign fits, and says of itself that nothing is known', () => {
  const artifact = artifactOf([], 0);
  expect(schemaNamed('chaos_resilience_validation').parse(artifact)).toEqual(artifact);
  expect(artifact.resilience_metrics).toEqual({ overall_score: null, chaos_tolerance: 'unknown', production_ready: false });
});

it.each([
  ['a field that is missing', (artifact: Readonly<Record<string, unknown>>) => ({ ...artifact, component: undefined })],
  ['a field that nobody knows', (artifact: Readonly<Record<string, unknown>>) => ({ ...artifact, more: 1 })],
  ['another component', (artifact: Readonly<Record<string, unknown>>) => ({ ...artifact, component: 'other' })],
  ['a time that is none', (artifact: Readonly<Record<string, unknown>>) => ({ ...artifact, validation_timestamp: 'yesterday' })],
])('refuses %s', (_, change) => {
  const changed = change({ ...artifactOf([], 0) });
  expect(schemaNamed('chaos_resilience_validation').safeParse(changed).success).toBe(false);
});
