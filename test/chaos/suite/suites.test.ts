/** Suites as data: the shipped ones hold, the published schema is the one that is enforced, and what is wrong is named with its bound. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { composed } from '../../../src/chaos/suite/compose.js';
import { loadSuite } from '../../../src/chaos/suite/load.js';
import { suiteSchema } from '../../../src/chaos/suite/schema.js';
import { SHIPPED_SUITES } from '../../../src/chaos/suite/shipped.js';
import { ACCUSES_THE_LIVING } from '../../../src/drill/sabotage/brokenWatchdogs.js';
import { SABOTAGES } from '../../../src/drill/sabotage/catalogue.js';
import { SCHEMAS, schemaNamed } from '../report/schemas.js';

const SUITES = join(import.meta.dirname, '../../../suites');
const written = (name: string): unknown => JSON.parse(readFileSync(join(SUITES, `${name}.json`), 'utf8'));

it('the published schema is the one that is enforced', () => {
  const published: unknown = JSON.parse(readFileSync(join(SCHEMAS, 'chaos_suite.schema.json'), 'utf8'));
  expect(published).toEqual(z.toJSONSchema(suiteSchema, { io: 'input' }));
});

describe.each(SHIPPED_SUITES)('the shipped suite %s', (name) => {
  it('fits the published schema, and loads by its name', async () => {
    expect(schemaNamed('chaos_suite').safeParse(written(name)).success).toBe(true);
    expect((await loadSuite(name)).suite).toBe(name);
  });

  it('has a sabotage of its own for each scenario', async () => {
    const known = [...SABOTAGES.map((sabotage) => sabotage.name), ACCUSES_THE_LIVING];
    for (const { sabotage } of (await loadSuite(name)).scenarios) expect(known).toContain(sabotage.name);
  });

  it('composes into scenarios that ask for safeguards', async () => {
    const scenarios = (await loadSuite(name)).scenarios.map(composed);
    expect(scenarios.length).toBeGreaterThanOrEqual(3);
    for (const { mustFire, mustNotFire } of scenarios) expect(mustFire.length + mustNotFire.length).toBeGreaterThanOrEqual(4);
  });
});

describe('what the shipped scenarios are made of', () => {
  it('DIRT01: three die at once, two more lose their right to beat, and fifteen seconds count from the begin', async () => {
    const [first] = (await loadSuite('dirt')).scenarios;
    expect(first).toMatchObject({ id: 'DIRT01', recover_from: 'begin', recover_within_ms: 15_000, cast: { supervised: true } });
    expect(first?.faults.map((fault) => [fault.kind, 'who' in fault ? fault.who.length : 0])).toEqual([
      ['kill', 3],
      ['revoke_beats', 2],
    ]);
    expect(first === undefined ? undefined : composed(first)).toMatchObject({
      panicDue: true,
      recoverWithinMs: 15_000,
      needs: ['signals', 'proc'],
    });
  });

  it('who carries a fault inside is a variant of its own', async () => {
    const [first] = (await loadSuite('dirt')).scenarios;
    expect(first === undefined ? undefined : composed(first).named).toEqual(
      new Map([
        ['watchdog-2', { fault: 'revoked-beats' }],
        ['exit-worker-2', { fault: 'revoked-beats' }],
      ]),
    );
  });

  it('FIT: twice the normal load, and two of three within a blast radius', async () => {
    const { scenarios } = await loadSuite('fit');
    expect(scenarios.map(({ load }) => load.rate)).toEqual([2, 2, 2]);
    expect(scenarios.map(({ blast_radius: limit }) => limit)).toEqual([
      { strategies: 0.25, orders: 0.3 },
      { strategies: 0, orders: 0 },
      undefined,
    ]);
  });

  it('Jepsen: partition, clock, rollback and concurrent writers, each under a workload', async () => {
    const { scenarios } = await loadSuite('jepsen');
    expect(scenarios.map(({ faults }) => faults.map(({ kind }) => kind))).toEqual([['partition'], ['step_clock'], ['roll_back_bus'], []]);
    expect(scenarios.map(({ workload }) => workload?.writers)).toEqual([1, 1, 1, 8]);
  });
});

describe('a suite that is not shipped', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'failflat-suite-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const load = (suite: unknown) => {
    const file = join(directory, 'own.json');
    writeFileSync(file, typeof suite === 'string' ? suite : JSON.stringify(suite));
    return loadSuite(file);
  };

  const scenario = (changed: object = {}) => ({
    id: 'OWN01',
    summary: 'one of our own',
    buses: ['journal'],
    faults: [{ kind: 'kill', who: ['exit-brain-1'] }],
    outcome: 'flat',
    must_hold: ['L1'],
    sabotage: { name: 'no-watchdog', red: 'L1' },
    ...changed,
  });
  const suite = (...scenarios: readonly object[]) => ({ suite: 'own', title: 'Our own', scenarios });

  it('has the defaults of what it does not say', async () => {
    const [loaded] = (await load(suite(scenario()))).scenarios;
    expect(loaded).toMatchObject({
      cast: { watchdogs: 1, workers: 1, supervised: false },
      load: { strategies: 1, rate: 1 },
      recover_within_ms: 30_000,
      recover_from: 'end',
      faults: [{ kind: 'kill', at_ms: 0, who: ['exit-brain-1'] }],
    });
  });

  it.each<[string, unknown, string]>([
    ['no scenario', suite(), 'scenarios = []: must be at least 1'],
    ['a field that nobody knows', suite(scenario({ more: 1 })), 'scenarios.0.more = 1: is not known here'],
    ['a bound', suite(scenario({ load: { rate: 11 } })), 'scenarios.0.load.rate = 11: must be at most 10'],
    ['a check that nobody knows', suite(scenario({ must_hold: ['L99'] })), 'scenarios.0.must_hold.0 = "L99": must be one of L1, '],
    ['a scenario that asks for nothing', suite(scenario({ must_hold: [] })), 'scenarios.0.must_hold = []: must be at least 1'],
    ['two of the same id', suite(scenario(), scenario()), 'scenarios.1.id = "OWN01": must be given only once'],
    [
      'somebody who is not in the cast',
      suite(scenario({ faults: [{ kind: 'kill', who: ['watchdog-2'] }] })),
      'scenarios.0.faults.0.who.0 = "watchdog-2": must be in the cast: exit-brain-1, watchdog-1, ',
    ],
    [
      'somebody whom the fault cannot strike',
      suite(scenario({ faults: [{ kind: 'block_loop', who: ['watchdog-1'], for_ms: 100 }] })),
      'scenarios.0.faults.0.who.0 = "watchdog-1": must be one that block_loop can strike',
    ],
    [
      'two faults in one process',
      suite(scenario({ faults: [1, 2].map(() => ({ kind: 'revoke_beats', who: ['watchdog-1'], for_ms: 100 })) })),
      'scenarios.0.faults.1.who.0 = "watchdog-1": must carry one fault only',
    ],
    [
      'a bus on which it cannot happen',
      suite(scenario({ faults: [{ kind: 'partition', who: ['strategy-1'], for_ms: 100 }] })),
      'scenarios.0.buses = ["journal"]: must be ["redis"] where a fault is partition',
    ],
    [
      'more writers than clients',
      suite(scenario({ workload: { kind: 'halts', clients: 2, writers: 3 } })),
      'scenarios.0.workload.writers = 3: must be at most 2',
    ],
    ['no suite at all', [], 'suite = []: must be of type object'],
    ['no JSON', '{', 'must be one of dirt, fit, jepsen, or a JSON file that can be read'],
  ])('refuses %s, and names field, value and bound', async (_, given, said) => {
    await expect(load(given)).rejects.toThrow(said);
  });

  it.each(['nonsense', 'no-such-file.json'])('%s is no suite', async (name) => {
    await expect(loadSuite(name)).rejects.toMatchObject({ code: 'configuration', field: 'suite', value: name });
  });
});
