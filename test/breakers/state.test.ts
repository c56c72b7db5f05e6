/** Every way from one state of the breakers to another. */
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/breakers/config.js';
import {
  atTime,
  type BreakerState,
  CLOSED,
  orderSettled,
  probeAdmitted,
  probesLeft,
  type Trip,
  tripsOf,
  withAdopted,
  withoutTrips,
  withTrips,
} from '../../src/breakers/state.js';

const probe = checkConfig({ probe: { afterMs: 100, maxOrders: 2, maxAttempts: 2, timeoutMs: 50 } }).probe;
const trip = (id: string, type: Trip['type'] = 'abnormal_volatility'): Trip => ({
  id,
  type,
  reasonCode: 'abnormal_volatility',
  message: id,
  details: {},
  sinceWallMs: 0,
});
const [wild, stale, loss] = [trip('wild'), trip('stale', 'stale_market_data'), trip('loss', 'daily_loss')];
const TRIPPED: BreakerState = { status: 'tripped', trips: [wild] };
const COOLING: BreakerState = { status: 'cooling', trips: [wild], untilMs: 100, attempt: 1 };
const PROBING: BreakerState = { status: 'probing', trips: [wild], untilMs: 150, attempt: 1, pending: [7, 8], acknowledged: 0 };
const ALL = [CLOSED, TRIPPED, COOLING, PROBING];

describe('a trip', () => {
  it('latches where nothing probes, and joins those that stand', () => {
    expect(withTrips(CLOSED, [wild, stale], { probe: undefined, nowMs: 5 })).toEqual({ status: 'tripped', trips: [wild, stale] });
    expect(withTrips(TRIPPED, [loss], { probe, nowMs: 5 })).toEqual({ status: 'tripped', trips: [wild, loss] });
  });

  it('of a type that stands already, or that was given before it, adds nothing', () => {
    expect(withTrips(TRIPPED, [trip('again')], { probe, nowMs: 5 })).toBe(TRIPPED);
    expect(tripsOf(withTrips(CLOSED, [wild, trip('again')], { probe, nowMs: 5 }))).toEqual([wild]);
    expect(withTrips(CLOSED, [], { probe, nowMs: 5 })).toBe(CLOSED);
  });

  it('of a type that a reset is about to take away counts as a new one', () => {
    const again = trip('again');
    expect(tripsOf(withTrips(TRIPPED, [again], { probe, nowMs: 5, leaving: new Set(['wild']) }))).toEqual([wild, again]);
  });

  it('cools where it may be probed, begins the cooling again, and ends a probe', () => {
    const cooling = { status: 'cooling', trips: [wild, stale], untilMs: 105 };
    expect(withTrips(CLOSED, [wild, stale], { probe, nowMs: 5 })).toEqual({ ...cooling, attempt: 0 });
    expect(withTrips(COOLING, [stale], { probe, nowMs: 5 })).toEqual({ ...cooling, attempt: 1 });
    expect(withTrips(PROBING, [stale], { probe, nowMs: 5 })).toEqual({ ...cooling, attempt: 1 });
    expect(withTrips(PROBING, [trip('again')], { probe, nowMs: 5 })).toEqual({ ...cooling, trips: [wild], attempt: 1 });
  });

  it('of a type that is not probed waits for a person, and keeps the others waiting', () => {
    expect(withTrips(CLOSED, [loss], { probe, nowMs: 5 })).toEqual({ status: 'tripped', trips: [loss] });
    expect(withTrips(COOLING, [loss], { probe, nowMs: 5 })).toEqual({ status: 'tripped', trips: [wild, loss] });
  });

  it('of another process is adopted whatever its type, and once', () => {
    const theirs = trip('theirs');
    expect(withAdopted(TRIPPED, [theirs, wild], { probe, nowMs: 5 })).toEqual({ status: 'tripped', trips: [wild, theirs] });
    expect(withAdopted(TRIPPED, [wild], { probe, nowMs: 5 })).toBe(TRIPPED);
    expect(withAdopted(CLOSED, [], { probe, nowMs: 5 })).toBe(CLOSED);
    expect(withAdopted(CLOSED, [theirs], { probe, nowMs: 5 })).toEqual({ status: 'cooling', trips: [theirs], untilMs: 105, attempt: 0 });
  });
});

describe('time', () => {
  it('does nothing without a probe, to what is closed or waits for a person, or before it has come', () => {
    for (const state of ALL) expect(atTime(state, undefined, 1_000)).toBe(state);
    for (const state of [CLOSED, TRIPPED]) expect(atTime(state, probe, 1_000)).toBe(state);
    for (const state of [COOLING, PROBING]) for (const nowMs of [99, Number.NaN]) expect(atTime(state, probe, nowMs)).toBe(state);
  });

  it('begins a probe, and ends one that took too long: with another cooling, or for good after the last', () => {
    const begun = { status: 'probing', trips: [wild], untilMs: 150, attempt: 2, pending: [], acknowledged: 0 };
    expect(atTime(COOLING, probe, 100)).toEqual(begun);
    expect(atTime(PROBING, probe, 150)).toEqual({ status: 'cooling', trips: [wild], untilMs: 250, attempt: 1 });
    expect(atTime({ ...PROBING, attempt: 2 }, probe, 150)).toEqual(TRIPPED);
  });
});

describe('an order of a probe', () => {
  it('is admitted while there is room, which a settled one does not give back', () => {
    expect(ALL.map((state) => probesLeft(state, probe))).toEqual([0, 0, 0, 0]);
    expect(probesLeft({ ...PROBING, pending: [] }, probe)).toBe(2);
    expect(probesLeft({ ...PROBING, pending: [], acknowledged: 1 }, probe)).toBe(1);
    expect(probesLeft({ ...PROBING, pending: [7] }, probe)).toBe(1);
    expect(probesLeft({ ...PROBING, pending: [] }, undefined)).toBe(0);
  });

  it('is remembered by its id, and by nobody who does not probe', () => {
    expect(probeAdmitted({ ...PROBING, pending: [7] }, 9)).toEqual({ ...PROBING, pending: [7, 9] });
    for (const state of [CLOSED, TRIPPED, COOLING]) expect(probeAdmitted(state, 9)).toBe(state);
  });

  it('closes the breakers once all were acknowledged', () => {
    const acknowledged = { entryId: 7, acknowledged: true, nowMs: 120 };
    const one = orderSettled(PROBING, probe, acknowledged);
    expect(one).toEqual({ ...PROBING, pending: [8], acknowledged: 1 });
    expect(orderSettled(one, probe, { ...acknowledged, entryId: 8 })).toBe(CLOSED);
  });

  it('that failed cools again, or latches after the last attempt', () => {
    const failed = { entryId: 8, acknowledged: false, nowMs: 120 };
    expect(orderSettled(PROBING, probe, failed)).toEqual({ status: 'cooling', trips: [wild], untilMs: 220, attempt: 1 });
    expect(orderSettled({ ...PROBING, attempt: 2 }, probe, failed)).toEqual(TRIPPED);
  });

  it('that this probe did not let in changes nothing', () => {
    for (const acknowledged of [true, false]) {
      const settled = { entryId: 5, acknowledged, nowMs: 120 };
      for (const state of ALL) expect(orderSettled(state, probe, settled)).toBe(state);
      expect(orderSettled(PROBING, undefined, { ...settled, entryId: 7 })).toBe(PROBING);
    }
  });
});

describe('a reset', () => {
  it('takes away what it names, and leaves the rest to a person', () => {
    expect(withoutTrips(CLOSED, new Set(['wild']))).toBe(CLOSED);
    for (const state of [TRIPPED, COOLING, PROBING]) expect(withoutTrips(state, new Set(['wild']))).toBe(CLOSED);
    expect(withoutTrips({ ...COOLING, trips: [wild, stale] }, new Set(['wild']))).toEqual({ status: 'tripped', trips: [stale] });
    expect(withoutTrips(TRIPPED, new Set())).toEqual(TRIPPED);
  });
});
