import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BreakerState, CLOSED, type Trip, tripsOf, withAdopted, withoutTrips } from '../../src/breakers/state.js';
import { idsOf, KEPT_RESETS, type Look, mergeTrips } from '../../src/breakers/tripMerge.js';
import type { StoredReset } from '../../src/messages/breaker.js';
import { fcSeed } from '../support/seed.js';

const trip = (id: string): Trip => ({
  id,
  type: 'order_rate',
  reasonCode: 'order_rate',
  message: id,
  details: {},
  sinceWallMs: 0,
});
const reset = (id: string, ids: readonly string[]): StoredReset => ({ id, ids, by: 'operator', reason: 'reviewed', how: 'reset' });
const look = (given: Partial<Look>): Look => ({ stored: [], resets: [], local: [], own: new Set(), ending: [], ...given });
const names = (trips: readonly Trip[]): string[] => trips.map(({ id }) => id);

describe('a look at the trips on the bus', () => {
  it('finds nothing to do where both sides hold the same, in whatever order', () => {
    const merged = mergeTrips(look({ stored: [trip('a'), trip('b')], local: [trip('b'), trip('a')] }));
    expect(merged).toMatchObject({ adopted: [], released: [], isNews: false });
  });

  it('adopts what tripped elsewhere, and adds what tripped here', () => {
    const merged = mergeTrips(look({ stored: [trip('theirs')], local: [trip('ours')] }));
    expect(names(merged.adopted)).toEqual(['theirs']);
    expect(names(merged.trips)).toEqual(['theirs', 'ours']);
    expect(merged.isNews).toBe(true);
  });

  it('S7: adds again what the bus has forgotten, and lets go only of what a reset names', () => {
    const forgotten = mergeTrips(look({ local: [trip('a')], resets: [reset('r', ['b'])] }));
    expect(forgotten).toMatchObject({ released: [], isNews: true });
    expect(names(forgotten.trips)).toEqual(['a']);
    const named = mergeTrips(look({ local: [trip('a'), trip('c')], resets: [reset('r', ['a', 'b'])] }));
    expect(named.released).toEqual([{ reset: reset('r', ['a', 'b']), ids: new Set(['a']) }]);
    expect(names(named.trips)).toEqual(['c']);
  });

  it('takes what stands there for in force, whatever a reset says of it', () => {
    const merged = mergeTrips(look({ stored: [trip('a')], resets: [reset('r', ['a'])], local: [trip('a')] }));
    expect(merged).toMatchObject({ released: [], isNews: false });
    expect(names(merged.trips)).toEqual(['a']);
  });

  it('a reset that was asked for here ends nothing by being seen: whoever asked may have been told that it is not sure', () => {
    const merged = mergeTrips(look({ resets: [reset('own', ['a'])], own: new Set(['own']), local: [trip('a')] }));
    expect(merged).toMatchObject({ released: [], isNews: true, resets: [] });
    expect(names(merged.trips)).toEqual(['a']);
  });

  it('takes off what a reset ends, and writes down that it did', () => {
    const ending = [reset('r', ['a'])];
    const merged = mergeTrips(look({ stored: [trip('a'), trip('b')], local: [trip('a')], ending }));
    expect(names(merged.trips)).toEqual(['b']);
    expect(names(merged.adopted)).toEqual(['b']);
    expect(merged).toMatchObject({ resets: ending, isNews: true });
  });

  it('does not adopt what it is about to end', () => {
    expect(mergeTrips(look({ stored: [trip('a')], ending: [reset('r', ['a'])] })).adopted).toEqual([]);
  });

  it('keeps the newest resets', () => {
    const resets = Array.from({ length: KEPT_RESETS }, (_, index) => reset(`r${index}`, [`t${index}`]));
    const merged = mergeTrips(look({ resets, ending: [reset('new', ['a'])], local: [trip('a')] }));
    expect(merged.resets.map(({ id }) => id)).toEqual([...resets.slice(1).map(({ id }) => id), 'new']);
  });
});

/** Processes that look at one value, each atomically, as compare-and-set makes them. */
class Fleet {
  stored: readonly Trip[] = [];
  resets: readonly StoredReset[] = [];
  readonly processes: { state: BreakerState; own: Set<string> }[];
  readonly #backups: { stored: readonly Trip[]; resets: readonly StoredReset[] }[] = [];

  constructor(processes: number) {
    this.processes = Array.from({ length: processes }, () => ({ state: CLOSED, own: new Set<string>() }));
  }

  look(index: number, ending: readonly StoredReset[] = []): boolean {
    const process = this.processes[index % this.processes.length];
    if (process === undefined) return false;
    for (const { id } of ending) process.own.add(id);
    const { stored, resets } = this;
    const merged = mergeTrips({ stored, resets, local: tripsOf(process.state), own: process.own, ending });
    process.state = withAdopted(process.state, merged.adopted, { probe: undefined, nowMs: 0 });
    for (const { ids } of [...merged.released, ...ending.map((one) => ({ ids: new Set(one.ids) }))])
      process.state = withoutTrips(process.state, ids);
    if (merged.isNews) this.#backups.push({ stored, resets });
    this.stored = merged.trips;
    this.resets = merged.resets;
    return merged.isNews;
  }

  trip(index: number, id: string): void {
    const process = this.processes[index % this.processes.length];
    if (process !== undefined) process.state = withAdopted(process.state, [trip(id)], { probe: undefined, nowMs: 0 });
  }

  reset(index: number, id: string): readonly string[] {
    const process = this.processes[index % this.processes.length];
    const ids = process === undefined ? [] : names(tripsOf(process.state));
    if (ids.length > 0) this.look(index, [reset(id, ids)]);
    return ids;
  }

  /** A server that has not seen the newest changes takes over. */
  failOver(changes: number): void {
    const backup = this.#backups.at(-1 - changes);
    if (backup !== undefined) Object.assign(this, backup);
  }
}

it('S7: whatever trips, resets and forgets in whatever order, all processes end with the same trips, and none that nobody has reset is lost', () => {
  const process = fc.nat(2);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('trip' as const), process }),
    fc.record({ kind: fc.constant('look' as const), process }),
    fc.record({ kind: fc.constant('reset' as const), process }),
    fc.record({ kind: fc.constant('failover' as const), process: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: KEPT_RESETS }), (steps) => {
      const fleet = new Fleet(3);
      const tripped = new Set<string>();
      const named = new Set<string>();
      for (const [index, { kind, process: which }] of steps.entries()) {
        if (kind === 'trip') {
          tripped.add(`t${index}`);
          fleet.trip(which, `t${index}`);
        } else if (kind === 'look') fleet.look(which);
        else if (kind === 'reset') for (const id of fleet.reset(which, `r${index}`)) named.add(id);
        else fleet.failOver(which);
      }
      let isMoving = true;
      for (let round = 0; isMoving; round += 1) {
        expect(round).toBeLessThan(10);
        isMoving = [0, 1, 2].map((index) => fleet.look(index)).includes(true);
      }
      const ends = fleet.processes.map(({ state }) => [...idsOf(tripsOf(state))].toSorted());
      const standing = [...idsOf(fleet.stored)].toSorted();
      expect(ends).toEqual([standing, standing, standing]);
      expect([...tripped].filter((id) => !named.has(id) && !standing.includes(id))).toEqual([]);
    }),
    { seed: fcSeed, numRuns: 2_000 },
  );
});
