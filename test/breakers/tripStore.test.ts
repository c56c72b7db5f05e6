/** What the store of trips writes, reads and says, word for word. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Trip } from '../../src/breakers/state.js';
import { KEPT_RESETS } from '../../src/breakers/tripMerge.js';
import { TripStore } from '../../src/breakers/tripStore.js';
import { Wake } from '../../src/breakers/wake.js';
import { BusDoubtError, BusUnavailableError, type Latch } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { breakerLatch, decodeBreaker, encodeBreaker, type StoredBreaker, type StoredReset } from '../../src/messages/breaker.js';
import { ManualClock } from '../../src/testing/manualClock.js';

const LATCH = breakerLatch('s');
const trip = (id: string, changes: Partial<Trip> = {}): Trip => ({
  id,
  type: 'quote',
  reasonCode: 'quote_stale',
  message: `${id} is stale`,
  details: { ageMs: 7 },
  sinceWallMs: 5,
  ...changes,
});
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

function scene(bend: (latch: Latch) => Partial<Latch> = () => ({})) {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock }).handle();
  const local: Trip[] = [];
  const adopted: Trip[] = [];
  const released: [readonly string[], StoredReset][] = [];
  const warned: unknown[] = [];
  let ids = 0;
  const bent = (key: string): Latch => {
    const latch = bus.latch(key);
    const plain: Latch = {
      get: () => latch.get(),
      watch: (...args) => latch.watch(...args),
      compareAndSet: (...args) => latch.compareAndSet(...args),
    };
    return key === LATCH ? { ...plain, ...bend(latch) } : plain;
  };
  const store = new TripStore({
    bus: { latch: bent },
    strategyId: 's',
    clock,
    logger: { debug: () => {}, info: () => {}, warn: (details, message) => void warned.push([message, details]), error: () => {} },
    newId: () => {
      ids += 1;
      return `id${ids}`;
    },
    maxStalenessMs: 1_000,
    trips: () => local,
    adopt: (trips) => {
      adopted.push(...trips);
      local.push(...trips);
    },
    release: (gone, reset) => {
      released.push([[...gone], reset]);
      for (const id of gone) local.splice(0, local.length, ...local.filter((one) => one.id !== id));
    },
  });
  opened.push(bus, store);
  const written = async (): Promise<StoredBreaker> => {
    const decoded = decodeBreaker((await bus.latch(LATCH).get()).fields);
    if (!decoded.ok) throw new Error(decoded.problem);
    return decoded.value;
  };
  const put = async (stored: Partial<StoredBreaker>) => {
    const all = { strategyId: 's', trips: [], resets: [], changedBy: 'x', reason: 'r', changedWallMs: 1, ...stored };
    await bus.latch(LATCH).compareAndSet((await bus.latch(LATCH).get()).version, encodeBreaker(all));
  };
  const doubt = () => store.doubt(clock.monotonicMs());
  return { clock, bus, store, local, adopted, released, warned, written, put, doubt };
}

describe('the store of trips', () => {
  it('writes what has tripped, for which reason and when, and takes it off with who asked and why', async () => {
    const { clock, store, local, written } = scene();
    const ready = store.start();
    await clock.advance(0);
    await ready;
    local.push(trip('a'), trip('b'));
    await store.changed();
    expect(await written()).toEqual({
      strategyId: 's',
      trips: local,
      resets: [],
      changedBy: 's',
      reason: 'b is stale',
      changedWallMs: clock.wallMs(),
    });
    const done: string[] = [];
    const long = 'y'.repeat(300);
    const cleared = await store.clear({ ids: ['a'], by: long, reason: long, how: 'reset' }, 100, () => {
      done.push('a');
      local.shift();
    });
    expect([cleared, done]).toEqual([{ ok: true }, ['a']]);
    const kept = 'y'.repeat(200);
    expect(await written()).toMatchObject({
      trips: [{ id: 'b' }],
      resets: [{ ids: ['a'], by: kept, reason: kept, how: 'reset' }],
      changedBy: kept,
      reason: kept,
    });
  });

  it('says that a probe has ended a trip, and in which words nothing is left', async () => {
    const { clock, store, local, written } = scene();
    const ready = store.start();
    await clock.advance(0);
    await ready;
    local.push(trip('a'));
    await store.changed();
    local.pop();
    await store.changed();
    expect(await written()).toMatchObject({
      trips: [],
      resets: [{ ids: ['a'], by: 's', reason: 'a probe succeeded', how: 'probe' }],
      changedBy: 's',
      reason: 'a probe succeeded',
    });
  });

  it('S7: lets go of the oldest resets where they would leave no room for trips, and keeps the newest', async () => {
    const { clock, store, local, written } = scene();
    const ready = store.start();
    await clock.advance(0);
    await ready;
    for (let round = 0; round < KEPT_RESETS; round += 1) {
      const ids = Array.from({ length: 200 }, (_, index) => `00000000-0000-0000-0000-${String(round * 1_000 + index).padStart(12, '0')}`);
      local.push(...ids.map((id) => trip(id)));
      await store.changed();
      expect((await written()).trips).toHaveLength(200);
      const cleared = await store.clear({ ids, by: 'operator', reason: 'seen', how: 'reset' }, 100, () => void local.splice(0));
      expect(cleared).toEqual({ ok: true });
      expect((await written()).resets.at(-1)?.ids).toEqual(ids);
    }
    expect((await written()).resets.length).toBeGreaterThan(1);
    expect((await written()).resets.length).toBeLessThan(KEPT_RESETS);
  });

  it('adopts what stands there as far as it knows the words, and makes text of details that are no figures', async () => {
    const { clock, store, adopted, put } = scene();
    const details = { figure: 1, flag: true, text: 'x', list: [1] };
    await put({
      trips: [
        { ...trip('a'), details },
        { ...trip('b'), type: 'moon', reasonCode: 'cheese' },
      ],
    });
    const ready = store.start();
    await clock.advance(0);
    await ready;
    expect(adopted).toEqual([
      trip('a', { details: { figure: 1, flag: true, text: 'x', list: '1' } }),
      trip('b', { type: 'unknown_state', reasonCode: 'state_unknown' }),
    ]);
  });

  it('makes a trip of its own of a value that cannot be understood', async () => {
    const { clock, bus, store, adopted } = scene();
    await bus.latch(LATCH).compareAndSet(0, { schema: '1', trips: 'none' });
    const ready = store.start();
    await clock.advance(0);
    await ready;
    const [only] = adopted;
    expect(only).toMatchObject({ id: 'unreadable/1', type: 'unknown_state', reasonCode: 'state_unknown', details: {} });
    expect(only?.message).toMatch(/^version 1 of the stored trips cannot be understood: ./);
    expect(only?.sinceWallMs).toBe(clock.wallMs());
  });

  it('is in doubt before the first reading, once the last one is too old, and where the bus says so', async () => {
    let failure: Error | undefined;
    const bend = (latch: Latch): Partial<Latch> => ({
      get: async () => {
        if (failure !== undefined) throw failure;
        return latch.get();
      },
    });
    const { clock, store, doubt } = scene(bend);
    expect(doubt()).toBe('have not been read yet');
    const ready = store.start();
    await clock.advance(0);
    await ready;
    expect(doubt()).toBeUndefined();
    failure = new BusUnavailableError('down');
    await clock.advance(1_000);
    expect(doubt()).toBeUndefined();
    await clock.advance(1);
    expect(doubt()).toBe('were last read 1001 ms ago, at most 1000 count');
    expect(store.doubt(Number.NaN)).toMatch(/^were last read NaN ms ago/);
    failure = new BusDoubtError('half of it is missing');
    await clock.advance(300);
    expect(doubt()).toBe('are in doubt: half of it is missing');
    failure = undefined;
    await clock.advance(600);
    expect(doubt()).toBeUndefined();
  });

  it('reads four times within the age that counts, and says what keeps it from writing', async () => {
    let reads = 0;
    let isFull = false;
    const bend = (latch: Latch): Partial<Latch> => ({
      get: () => {
        reads += 1;
        return latch.get();
      },
      compareAndSet: async (...args) =>
        isFull ? { outcome: 'refused', reason: 'unavailable', detail: 'no room' } : latch.compareAndSet(...args),
    });
    const { clock, store, local, warned, written } = scene(bend);
    const ready = store.start();
    await clock.advance(0);
    await ready;
    reads = 0;
    await clock.advance(1_000);
    expect(reads).toBe(4);
    isFull = true;
    local.push(trip('a'));
    const changed = store.changed();
    await clock.advance(200);
    const problem = 'no room';
    expect(warned).toEqual([['what has tripped here and on the bus is not the same yet', { strategyId: 's', problem }]]);
    isFull = false;
    await clock.advance(300);
    await changed;
    expect((await written()).trips).toHaveLength(1);
  });

  it('a reset that is not committed says why, and tries for as long as it was given', async () => {
    let attempts = 0;
    const bend = (latch: Latch): Partial<Latch> => ({
      compareAndSet: async (...args) => {
        attempts += 1;
        return attempts > 1 ? { outcome: 'conflict' } : latch.compareAndSet(...args);
      },
    });
    const { clock, store, local } = scene(bend);
    local.push(trip('a'));
    const ready = store.start();
    await clock.advance(0);
    await ready;
    const clearing = store.clear({ ids: ['a'], by: 'op', reason: 'r', how: 'reset' }, 1_000, () => local.pop());
    await clock.advance(1_000);
    expect(await clearing).toEqual({ ok: false, detail: 'not committed within 1000 ms: another process changed it' });
    expect([attempts, local.length]).toEqual([5, 1]);
  });
});

describe('a wake', () => {
  it('hears a ring while it sleeps, one from before it slept, its time, and the end', async () => {
    const clock = new ManualClock();
    const end = new AbortController();
    const wake = new Wake();
    const heard: string[] = [];
    const sleep = (name: string) => void wake.heardWithin(clock, 100, end.signal).then(() => heard.push(name));
    sleep('rung');
    await clock.advance(50);
    expect(heard).toEqual([]);
    wake.ring();
    await clock.advance(0);
    expect(heard).toEqual(['rung']);
    wake.ring();
    sleep('before');
    await clock.advance(0);
    expect(heard).toEqual(['rung', 'before']);
    sleep('time');
    await clock.advance(99);
    expect(heard).toHaveLength(2);
    await clock.advance(1);
    expect(heard).toEqual(['rung', 'before', 'time']);
    sleep('end');
    end.abort();
    await clock.advance(0);
    sleep('ended');
    await clock.advance(0);
    expect(heard).toEqual(['rung', 'before', 'time', 'end', 'ended']);
  });
});
