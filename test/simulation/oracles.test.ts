/** What the corpus of planted bugs does not show: the finer halves of oracles, each seen red, and green beside it. */
import { describe, expect, it } from 'vitest';
import { runSchedule } from '../../src/simulation/campaign/run.js';
import { drawSchedule } from '../../src/simulation/faults/draw.js';
import type { Fault, Schedule } from '../../src/simulation/faults/schedule.js';
import { withoutRecord } from '../../src/simulation/sabotage/brokenBuses.js';
import { simulatedSabotage } from '../../src/simulation/sabotage/catalogue.js';
import { STRATEGY } from '../../src/simulation/world/ground.js';
import { intactWorld } from '../../src/simulation/world/parts.js';
import { QUIET_SETUP } from '../../src/simulation/world/setup.js';

const drawn = drawSchedule(1);
const scheduleOf = (...faults: readonly Fault[]): Schedule => ({
  ...drawn,
  setup: { ...drawn.setup, ...QUIET_SETUP, pace: 1, ordersPerS: 4 },
  faults,
  healMs: 15_000,
  endMs: 60_000,
});
const promisesOf = ({ violations }: { readonly violations: readonly { readonly promise: string }[] }) =>
  violations.map(({ promise }) => promise);

const toldToEnd = scheduleOf({ kind: 'terminate', atMs: 6_000, forMs: 2_000, target: STRATEGY });

describe('a strategy that is told to end', () => {
  it('S1, S2, L5: sends nothing more, drains, ends and starts again', async () => {
    const { violations, world } = await runSchedule(toldToEnd);
    expect(violations).toEqual([]);
    const [end] = world.ends;
    expect(end?.ended?.unfinished).toEqual([]);
    expect(world.sent.some(({ holder, atMs }) => holder !== end?.holder && atMs > 8_000)).toBe(true);
  });

  it('S1: an order that is checked first and sent later is seen', async () => {
    const { parts } = simulatedSabotage('check-then-await');
    expect(promisesOf(await runSchedule(toldToEnd, { parts }))).toContain('S1');
  });

  it('L5: one that the schedule stops meanwhile is not accused', async () => {
    const { parts } = simulatedSabotage('drains-for-ever');
    const silent: Fault = { kind: 'venue-stall', atMs: 5_000, forMs: 30_000, target: STRATEGY, way: 'out' };
    expect(promisesOf(await runSchedule(scheduleOf(...toldToEnd.faults, silent), { parts }))).toContain('L5');
    const stopped: Fault = { kind: 'stop', atMs: 7_000, forMs: 8_000, target: STRATEGY };
    expect(promisesOf(await runSchedule(scheduleOf(...toldToEnd.faults, silent, stopped), { parts }))).not.toContain('L5');
  });
});

describe('the record', () => {
  it('S12: a lapse that a holder told the bus of, and nobody the record, is seen', async () => {
    const cutOff = scheduleOf({ kind: 'bus-stall', atMs: 6_000, forMs: 3_000, target: 'watchdog-1', way: 'out' });
    const intact = await runSchedule(cutOff);
    expect(intact.violations).toEqual([]);
    expect(intact.witness.holders.map(({ report }) => report.event)).toContain('suspended');
    const parts = () => ({
      ...intactWorld,
      bus: (bus: Parameters<typeof withoutRecord>[0], name: string) => (name === STRATEGY ? withoutRecord(bus) : bus),
    });
    expect(promisesOf(await runSchedule(cutOff, { parts }))).toContain('S12');
  });
});

describe('what observers do', () => {
  it('S13: nothing that they do reaches a result, and listeners of the real process hear nothing of it', async () => {
    const before = process.listeners('unhandledRejection');
    const hostile = { ...toldToEnd, setup: { ...toldToEnd.setup, hostileObservers: true } };
    const { violations, world } = await runSchedule(hostile);
    expect(violations).toEqual([]);
    expect(world.told.length).toBeGreaterThan(20);
    expect(world.alerts.length).toBeGreaterThan(0);
    expect(process.listeners('unhandledRejection')).toEqual(before);
  });
});
