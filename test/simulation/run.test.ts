/** A whole run: the shipped classes on simulated time, judged from outside. */
import { describe, expect, it } from 'vitest';
import { runSchedule } from '../../src/simulation/campaign/run.js';
import { drawSchedule } from '../../src/simulation/faults/draw.js';
import { parseSchedule, type Schedule } from '../../src/simulation/faults/schedule.js';
import { bestDrain } from '../../src/simulation/kernel/drain.js';

const quiet = (seed: number): Schedule => ({ ...drawSchedule(seed), faults: [] });

describe('a run of the shipped classes', () => {
  it('S8: without faults trading goes on and nobody panics, until the brain is killed: then the book ends flat', async () => {
    const schedule = quiet(1);
    const { violations, witness, world } = await runSchedule(schedule);
    expect(violations).toEqual([]);
    expect(witness.panics[0]?.atMs).toBeGreaterThan(schedule.healMs + 3_000);
    expect(world.sent.length).toBeGreaterThan((schedule.healMs / 1_000) * schedule.setup.ordersPerS * 0.9);
    expect(witness.completions.map(({ completion }) => completion.verdict)).toEqual(['flat']);
    expect(world.venue.positions('default').size).toBe(0);
  });

  it('is the same run for the same schedule, also after that was stored, and another one for another seed', async () => {
    const schedule = drawSchedule(3);
    const [first, again, stored, other] = [
      await runSchedule(schedule),
      await runSchedule(schedule),
      await runSchedule(parseSchedule(JSON.stringify(schedule))),
      await runSchedule(drawSchedule(4)),
    ];
    expect(again.traceHash).toBe(first.traceHash);
    expect(stored.traceHash).toBe(first.traceHash);
    expect(other.traceHash).not.toBe(first.traceHash);
  });

  it('gives the same trace with either way of letting promises settle', async () => {
    const schedule = { ...drawSchedule(5), healMs: 15_000, endMs: 40_000 };
    const immediate = await runSchedule(schedule, { drain: 'immediate' });
    expect((await runSchedule(schedule, { drain: await bestDrain() })).traceHash).toBe(immediate.traceHash);
  });
});
