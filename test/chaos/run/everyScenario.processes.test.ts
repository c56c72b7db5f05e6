/**
 * Every scenario is green on every bus on which it can happen, and red without its safeguard. `CHAOS_ALL` plays them all, which takes
 * the better part of an hour; without it, those that are over soon and need nothing that a build machine may not have.
 */
import { describe, expect, it } from 'vitest';
import type { ChaosScenario } from '../../../src/chaos/run/scenario.js';
import { CHAOS_SCENARIOS, scenarioNamed } from '../../../src/chaos/run/scenarios/catalogue.js';
import { type ChaosRun, chaosRun, shown } from './chaosRun.js';

const PLAYS_ALL = process.env['CHAOS_ALL'] !== undefined;
const SOON_OVER = ['frozen_process'];

const scenarios = PLAYS_ALL ? CHAOS_SCENARIOS : SOON_OVER.map(scenarioNamed);
const scale = PLAYS_ALL ? [] : ['--scale', '2'];
const LIMIT_MS = 300_000;

const greens = scenarios.flatMap((scenario) =>
  (PLAYS_ALL ? scenario.buses : scenario.buses.slice(0, 1)).map((bus) => ({ ...scenario, bus })),
);

describe.each(greens)('$name on $bus', ({ name, bus }) => {
  it('is survived, and there was enough of it', { timeout: LIMIT_MS }, () => {
    const run = chaosRun(name, ...scale, ...(bus === 'redis' ? ['--redis'] : []));
    expect(run.status, shown(run)).toBe(0);
    expect(run.document?.verdicts).toEqual(['PASSED']);
    expect(run.document?.results[0]?.facts?.doses.length).toBeGreaterThan(0);
  });
});

describe.each(scenarios)('$name without its safeguard', ({ name, sabotage }: Pick<ChaosScenario, 'name' | 'sabotage'>) => {
  it(`${sabotage.name}: goes red at ${sabotage.red}, on evidence`, { timeout: LIMIT_MS }, () => {
    const run = chaosRun(name, ...scale, '--sabotage', 'own');
    expect(run.status, shown(run)).toBe(1);
    expect(redOnEvidence(run), shown(run)).toContain(sabotage.red);
  });
});

function redOnEvidence({ document }: ChaosRun): readonly string[] {
  const facts = document?.results[0]?.facts;
  const checks = [...(facts?.mustFire ?? []), ...(facts?.mustNotFire ?? [])];
  return checks.filter(({ passed, missing }) => !passed && !missing).map(({ id }) => id);
}
