import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFUSAL_CODES } from '../../src/permission.js';
import { type Met, playSchedule, schedules } from './doorModel.js';
import { MUTANTS } from './mutants.js';
import { FC_SEED } from './support.js';

const RUNS = 200;

describe('order door against its model', () => {
  it('S1 S2 S3 S7 S10 S13: any interleaving of orders, refusals, lapses, shutdowns, throwing observers, late ends and clock steps', async () => {
    const met: Met = { codes: new Set(), stoppedBetweenAdmissions: 0 };
    await fc.assert(
      fc.asyncProperty(schedules, (schedule) => playSchedule(schedule, met)),
      { seed: FC_SEED, numRuns: RUNS },
    );
    // A run that never stopped between two admissions, or never refused for some reason, has proven nothing.
    expect(met.stoppedBetweenAdmissions).toBeGreaterThan(RUNS / 10);
    // An id that was sent before is refused behind the admission: the properties of the intent log meet that one.
    const asked = REFUSAL_CODES.filter((code) => code !== 'duplicate_client_order_id');
    expect([...met.codes].sort()).toEqual([...asked, 'circuit_breaker_volatility'].sort());
  }, 60_000);

  it.each(Object.entries(MUTANTS))('is red for a guard with %s', async (_what, make) => {
    const met: Met = { codes: new Set(), stoppedBetweenAdmissions: 0 };
    const result = await fc.check(
      fc.asyncProperty(schedules, (schedule) => playSchedule(schedule, met, make)),
      { seed: FC_SEED, numRuns: RUNS },
    );
    expect(result.failed).toBe(true);
    // Found by what it does, not by a fault of its own.
    expect(String(result.errorInstance)).toMatch(/AssertionError|observer/);
  });
});
