/** How breakers of many strategies and processes share one read that waits, and what happens where a ring is lost. */
import { afterEach, describe, expect, it } from 'vitest';
import type { StrategyBreakers } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { type Bus, BusUnavailableError, type Latch } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { BELL_LATCH, decodeRing, encodeRing } from '../../src/messages/breaker.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { result } from './support.js';

const POLL_MS = 250;
const STRATEGIES = Array.from({ length: 100 }, (_, index) => `strategy-${index}`);
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** What one process does on the bus; `bend` changes what it gets to see of one latch. */
function counted(bus: Bus, clock: ManualClock, bend: (key: string, latch: Latch) => Partial<Latch> = () => ({})) {
  const counts = { gets: 0, watches: 0, waiting: 0, mostWaiting: 0 };
  const handed: Pick<Bus, 'latch' | 'append'> = {
    append: (...args) => bus.append(...args),
    latch: (key) => {
      const latch = bus.latch(key);
      const plain: Latch = {
        get: () => latch.get(),
        watch: (...args) => latch.watch(...args),
        compareAndSet: (...args) => latch.compareAndSet(...args),
      };
      const bent: Latch = { ...plain, ...bend(key, latch) };
      return {
        compareAndSet: (...args) => bent.compareAndSet(...args),
        get: () => {
          counts.gets += 1;
          return bent.get();
        },
        watch: async (...args) => {
          counts.watches += 1;
          counts.waiting += 1;
          counts.mostWaiting = Math.max(counts.mostWaiting, counts.waiting);
          try {
            return await bent.watch(...args);
          } finally {
            counts.waiting -= 1;
          }
        },
      };
    },
  };
  const start = async (strategyIds: readonly string[]): Promise<StrategyBreakers[]> => {
    const started = strategyIds.map((id) => createStrategyBreakers(id, { consecutiveLosses: { max: 1 } }, { bus: handed, clock }));
    opened.push(...started);
    await clock.advance(0);
    await Promise.all(started.map(({ ready }) => ready));
    return started;
  };
  return { counts, start };
}

function memory() {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock }).handle();
  opened.push(bus);
  const refusals = (breakers: readonly StrategyBreakers[]) =>
    breakers.filter((one) => one.check(clock.monotonicMs(), 'increase')).map(({ strategyId }) => strategyId);
  return { clock, bus, refusals };
}

describe('a hundred strategies in one process', () => {
  it('wait for the bus with one read, and read each strategy four times in the age that counts', async () => {
    const { clock, bus } = memory();
    const { counts, start } = counted(bus, clock);
    await start(STRATEGIES);
    await clock.advance(1_000);
    Object.assign(counts, { gets: 0, watches: 0 });
    await clock.advance(10_000);
    expect(counts.mostWaiting).toBe(1);
    expect(counts.watches).toBeLessThanOrEqual(11);
    expect(counts.gets).toBeLessThanOrEqual(STRATEGIES.length * 40);
  });

  it('hear at once what trips elsewhere, each its own, when all of it trips at once too', async () => {
    const { clock, bus, refusals } = memory();
    const here = await counted(bus, clock).start(STRATEGIES);
    const { counts, start } = counted(bus, clock);
    const there = await start(STRATEGIES);
    there[7]?.recordFill(result(-1));
    await clock.advance(1);
    expect(refusals(here)).toEqual(['strategy-7']);
    counts.gets = 0;
    for (const breakers of there) breakers.recordFill(result(-1));
    await clock.advance(2);
    expect(refusals(here)).toEqual(STRATEGIES);
    // To write, to ring, to hear its own ring: not one reading of all for each that trips.
    expect(counts.gets).toBeLessThan(10 * STRATEGIES.length);
  });

  it('read nothing more once they are closed', async () => {
    const { clock, bus } = memory();
    const { counts, start } = counted(bus, clock);
    for (const breakers of await start(STRATEGIES.slice(0, 3))) await breakers.close();
    await clock.advance(2_000);
    Object.assign(counts, { gets: 0, watches: 0 });
    await clock.advance(5_000);
    expect(counts).toMatchObject({ gets: 0, watches: 0, waiting: 0 });
    const [again] = await start(['strategy-0']);
    await counted(bus, clock)
      .start(['strategy-0'])
      .then(([other]) => other?.recordFill(result(-1)));
    await clock.advance(1);
    expect(again?.verdict()).toMatchObject({ triggered: true });
  });
});

describe('a ring', () => {
  const gone = () => Promise.reject(new BusUnavailableError('no contact'));

  it('that is lost costs a quarter of the age that counts', async () => {
    const { clock, bus, refusals } = memory();
    const here = await counted(bus, clock).start(['a']);
    const [there] = await counted(bus, clock, (key) => (key === BELL_LATCH ? { get: gone, compareAndSet: gone } : {})).start(['a']);
    there?.recordFill(result(-1));
    await clock.advance(POLL_MS);
    expect(refusals(here)).toEqual(['a']);
  });

  it('of which only the reader is cut off costs no more', async () => {
    const { clock, bus, refusals } = memory();
    for (const watch of [gone, () => new Promise<never>(() => {})]) {
      const here = await counted(bus, clock, () => ({ watch })).start(['a']);
      const [there] = await counted(bus, clock).start(['a']);
      await clock.advance(3_000);
      there?.recordFill(result(-1));
      await clock.advance(POLL_MS);
      expect(refusals(here)).toEqual(['a']);
      await there?.reset({ by: 'operator', reason: 'seen' });
    }
  });

  it('that comes together with that of another process is rung again', async () => {
    const { clock, bus, refusals } = memory();
    const here = await counted(bus, clock).start(['a', 'b']);
    const [a] = await counted(bus, clock).start(['a']);
    const [b] = await counted(bus, clock).start(['b']);
    a?.recordFill(result(-1));
    b?.recordFill(result(-1));
    await clock.advance(2);
    expect(refusals(here)).toEqual(['a', 'b']);
  });

  it('that was missed, or cannot be understood, may have been for anyone', async () => {
    const { clock, bus } = memory();
    const { counts, start } = counted(bus, clock);
    await start(['a', 'b', 'c']);
    const bell = bus.latch(BELL_LATCH);
    const rung = async (fields: Parameters<typeof bell.compareAndSet>[1], times = 1): Promise<number> => {
      await clock.advance(POLL_MS);
      counts.gets = 0;
      const { version } = await bell.get();
      // In one step: the reader sees the last of them.
      await Promise.all(Array.from({ length: times }, (_, index) => bell.compareAndSet(version + index, fields)));
      await clock.advance(1);
      return counts.gets;
    };
    expect(await rung(encodeRing(['b']))).toBe(1);
    expect(await rung(encodeRing(['b']), 2)).toBe(3);
    expect(await rung({ schema: '1', strategy_ids: 'torn' })).toBe(3);
    expect(await rung(encodeRing(['somebody else']))).toBe(0);
  });

  it('tells strategies in a list, and nothing else', () => {
    expect(decodeRing(encodeRing(['a', 'b']))).toEqual(['a', 'b']);
    for (const ids of ['7', '"a"', '[1]', 'null']) expect(decodeRing({ schema: '1', strategy_ids: ids })).toBeUndefined();
    expect(decodeRing({})).toBeUndefined();
  });
});
