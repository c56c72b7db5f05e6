/** What the record of trips on the bus must hold although something is in the way: a close, a clock, two resets at once. */
import { afterEach, describe, expect, it } from 'vitest';
import type { StrategyBreakersConfig } from '../../src/breakers/config.js';
import type { StrategyBreakers } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { type Bus, BusUnavailableError, type Latch } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { breakerLatch, decodeBreaker } from '../../src/messages/breaker.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { result } from './support.js';

const RESET = { by: 'operator', reason: 'reviewed' } as const;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

function scene(config: StrategyBreakersConfig) {
  const clock = new ManualClock();
  const bus = createMemoryBus({ clock }).handle();
  opened.push(bus);
  const latch = bus.latch(breakerLatch('s'));
  const start = async (bend: Partial<Latch> = {}): Promise<StrategyBreakers> => {
    const bent: Pick<Bus, 'latch' | 'append'> = {
      append: (...args) => bus.append(...args),
      latch: (key) => {
        const plain = bus.latch(key);
        const whole: Latch = {
          get: () => plain.get(),
          watch: (...args) => plain.watch(...args),
          compareAndSet: (...args) => plain.compareAndSet(...args),
        };
        return key === breakerLatch('s') ? { ...whole, ...bend } : whole;
      },
    };
    const breakers = createStrategyBreakers('s', config, { bus: bent, clock });
    opened.push(breakers);
    await clock.advance(0);
    await breakers.ready;
    return breakers;
  };
  const stored = async () => {
    const decoded = decodeBreaker((await latch.get()).fields);
    if (!decoded.ok) throw new Error(decoded.problem);
    return decoded.value;
  };
  const types = async () => (await stored()).trips.map(({ type }) => type);
  return { clock, latch, start, stored, types };
}

describe('breakers that are closed right after a trip', () => {
  const config = { consecutiveLosses: { max: 1 }, drawdown: { maxFraction: 0.1 } };

  it('S7: have written it, also where an earlier one is on its way', async () => {
    const { clock, latch, start, types } = scene(config);
    const breakers = await start({
      compareAndSet: async (...args) => {
        await clock.sleep(100);
        return latch.compareAndSet(...args);
      },
    });
    breakers.recordFill(result(-1));
    await clock.advance(50);
    for (const equity of [100, 50]) breakers.recordEquity(equity);
    const closing = breakers.close();
    await clock.advance(1_000);
    await closing;
    expect(await types()).toEqual(['consecutive_losses', 'drawdown']);
  });

  it('S7: have written it, also where another process has changed the record meanwhile', async () => {
    const { clock, latch, start, types } = scene(config);
    const [breakers, other] = [await start(), await start()];
    breakers.recordFill(result(-1));
    for (const equity of [100, 50]) other.recordEquity(equity);
    const closing = Promise.all([breakers.close(), other.close()]);
    await clock.advance(1_000);
    await closing;
    expect((await types()).toSorted()).toEqual(['consecutive_losses', 'drawdown']);
    expect((await latch.get()).version).toBe(2);
  });

  it('do not wait for a bus that does not take it', async () => {
    const { start } = scene(config);
    let tries = 0;
    const breakers = await start({
      compareAndSet: () => {
        tries += 1;
        return Promise.reject(new BusUnavailableError('no contact'));
      },
    });
    breakers.recordFill(result(-1));
    await breakers.close();
    expect(tries).toBeGreaterThan(0);
    expect(tries).toBeLessThan(10);
  });
});

it('S7: a wall clock that is no number makes no record that nobody can read', async () => {
  for (const wallMs of [Number.NaN, -1, Infinity]) {
    const { clock, latch, start, stored } = scene({});
    const breakers = await start();
    Object.assign(clock, { wallMs: () => wallMs });
    breakers.recordEquity(-1);
    await clock.advance(2_000);
    expect((await latch.get()).version).toBe(1);
    expect(await stored()).toMatchObject({ trips: [{ type: 'invalid_data', sinceWallMs: 0 }], changedWallMs: 0 });
  }
});

it('S3: what trips between the ends of two resets stays', async () => {
  const { clock, latch, start } = scene({ consecutiveLosses: { max: 1 } });
  const held: (() => void)[] = [];
  let isSlow = false;
  const breakers = await start({
    compareAndSet: async (...args) => {
      if (isSlow) await new Promise<void>((resolve) => held.push(resolve));
      return latch.compareAndSet(...args);
    },
  });
  const lose = () => breakers.recordFill(result(-1));
  lose();
  await clock.advance(1);
  isSlow = true;
  const first = breakers.reset(RESET);
  await clock.advance(0);
  lose();
  const second = breakers.reset(RESET);
  held.shift()?.();
  await first;
  lose();
  isSlow = false;
  for (const letGo of held.splice(0)) letGo();
  await clock.advance(1_000);
  expect(await second).toMatchObject({ outcome: 'reset', verdict: { triggered: true, type: 'consecutive_losses' } });
});
