/** Each oracle has been red: a world that lacks one safeguard breaks the promise that it stands for. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { runCampaign } from '../../src/simulation/campaign/campaign.js';
import { hunt } from '../../src/simulation/campaign/sabotageHunt.js';
import { timelineOf } from '../../src/simulation/campaign/timeline.js';
import { simulatedSabotage } from '../../src/simulation/sabotage/catalogue.js';

/** One of each kind of role; the smallest schedules of all are replayed by the corpus, and `npm run simulate:sabotages` hunts all anew. */
const FOUND_SOON = ['no-worker', 'read-error-as-zero', 'flag-not-lease', 'forgets-trips'];

describe('a campaign', () => {
  it.each(FOUND_SOON)(
    'finds %s, shrunk to at most three faults',
    async (name) => {
      const result = await hunt(simulatedSabotage(name), { seed: 1, seeds: 60, clock: systemClock }, 1);
      expect(result).toMatchObject({ name, found: true });
      expect(result.faults).toBeLessThanOrEqual(3);
    },
    60_000,
  );

  it('finds nothing where nothing is broken, and says the same of the same seeds', async () => {
    const options = { seed: 1, seeds: 6, clock: systemClock };
    const first = await runCampaign(options);
    expect(first.violations).toEqual([]);
    expect((await runCampaign(options)).traceHash).toBe(first.traceHash);
    expect((await runCampaign({ ...options, seed: 2 })).traceHash).not.toBe(first.traceHash);
  }, 60_000);

  it('tells a broken run as a timeline that names the promise', async () => {
    const { parts, breaks } = simulatedSabotage('no-worker');
    const { violations } = await runCampaign({ seed: 1, seeds: 1, run: { parts }, until: breaks, clock: systemClock });
    const [found] = violations;
    if (found === undefined) throw new Error('nothing was found');
    expect(timelineOf(found.run)).toMatch(/panic of watchdog-1: EXIT_BRAIN_UNGUARDED[\s\S]*BROKEN (L2|S6)/);
  }, 60_000);

  it('an unknown sabotage is named with those that there are', () => {
    expect(() => simulatedSabotage('gremlins')).toThrow(/sabotage = "?gremlins"?: must be all, or one of no-watchdog/);
  });
});
