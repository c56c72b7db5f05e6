import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shrinkFaults } from '../../src/simulation/campaign/shrink.js';
import { drawSchedule } from '../../src/simulation/faults/draw.js';
import { FAULT_KINDS, type Fault, parseSchedule } from '../../src/simulation/faults/schedule.js';
import { fcSeed } from '../support/seed.js';

const faultAt = (atMs: number): Fault => ({ kind: 'crash', atMs, forMs: 0 });

describe('shrinking', () => {
  it('keeps exactly the faults that it takes, in their order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(30), { maxLength: 4 }), fc.integer({ min: 31, max: 40 }), async (needed, count) => {
        const all = Array.from({ length: count }, (_, index) => faultAt(index));
        const breaks = async (faults: readonly Fault[]) => needed.every((atMs) => faults.some((fault) => fault.atMs === atMs));
        const kept = await shrinkFaults(all, breaks);
        expect(kept.map(({ atMs }) => atMs)).toEqual(needed.toSorted((a, b) => a - b));
      }),
      { seed: fcSeed },
    );
  });

  it('ends at faults of which any one can go and none more, where either of two sets is enough', async () => {
    const enough = [
      [1, 2],
      [5, 6, 7],
    ];
    const breaks = async (faults: readonly Fault[]) =>
      enough.some((set) => set.every((atMs) => faults.some((fault) => fault.atMs === atMs)));
    const kept = await shrinkFaults(
      Array.from({ length: 9 }, (_, index) => faultAt(index)),
      breaks,
    );
    for (const fault of kept) expect(await breaks(kept.filter((other) => other !== fault))).toBe(false);
  });
});

describe('a schedule', () => {
  it('is drawn by its seed alone, and comes back from its text as it was', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const schedule = drawSchedule(seed);
      expect(drawSchedule(seed)).toEqual(schedule);
      expect(parseSchedule(JSON.stringify(schedule))).toEqual(schedule);
    }
  });

  it('meets every kind of fault within a campaign', () => {
    const drawn = new Set(Array.from({ length: 400 }, (_, seed) => drawSchedule(seed).faults.map(({ kind }) => kind)).flat());
    expect([...drawn].toSorted()).toEqual([...FAULT_KINDS].toSorted());
  });

  const schedule = drawSchedule(1);
  it.each([
    ['text that is no JSON', '{', /schedule/],
    ['one of another version', JSON.stringify({ ...schedule, version: 1 }), /version = 1: must be 3/],
    [
      'an unknown kind',
      JSON.stringify({ ...schedule, faults: [{ kind: 'earthquake', atMs: 1, forMs: 1 }] }),
      /faults\[0\].kind = .*earthquake/,
    ],
    ['an unknown occasion', JSON.stringify({ ...schedule, faults: [{ ...faultAt(1), on: 'lunch' }] }), /faults\[0\].on/],
    ['a number that is none', JSON.stringify({ ...schedule, healMs: 'soon' }), /healMs/],
    ['a missing part of the world', JSON.stringify({ ...schedule, setup: { ...schedule.setup, workers: undefined } }), /setup.workers/],
  ])('%s is refused in one line that names it', (_what, text, message) => {
    expect(() => parseSchedule(text)).toThrow(message);
    expect(() => parseSchedule(text)).toThrow(expect.objectContaining({ code: 'configuration' }));
  });
});
