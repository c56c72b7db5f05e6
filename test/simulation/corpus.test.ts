/** The smallest schedule that shows each planted bug: broken with it, and clean as shipped, in every build. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runSchedule } from '../../src/simulation/campaign/run.js';
import { parseSchedule } from '../../src/simulation/faults/schedule.js';
import { SIMULATED_SABOTAGES, simulatedSabotage } from '../../src/simulation/sabotage/catalogue.js';

const CORPUS = join(import.meta.dirname, 'corpus');
const names = readdirSync(CORPUS)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

describe('the corpus', () => {
  it('holds a schedule for each planted bug', () => {
    expect(names.toSorted()).toEqual(SIMULATED_SABOTAGES.map(({ name }) => name).toSorted());
  });

  it.each(names)(
    'shows %s with at most three faults, and nothing where nothing is broken',
    async (name) => {
      const schedule = parseSchedule(readFileSync(join(CORPUS, `${name}.json`), 'utf8'));
      const { breaks, parts } = simulatedSabotage(name);
      expect(schedule.faults.length).toBeLessThanOrEqual(3);
      const broken = await runSchedule(schedule, { parts });
      expect(broken.violations.map(({ promise }) => promise)).toEqual(expect.arrayContaining([expect.toBeOneOf([...breaks])]));
      expect((await runSchedule(schedule)).violations).toEqual([]);
    },
    60_000,
  );
});
