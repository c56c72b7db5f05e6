import { afterEach, describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import type { Bus } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { openBus } from '../../src/bus/openBus.js';
import { systemClock } from '../../src/clock.js';
import { breakerLatch } from '../../src/messages/breaker.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { eventually } from '../support/eventually.js';
import { fastTemporaryDirectory } from '../support/temporaryDirectory.js';
import { result } from './support.js';

const CONFIG = { consecutiveLosses: { max: 1 } };
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** Closed once nothing is on its way to it any more: a record that finds its bus closed is tried again for ever, also in the tests that follow. */
function closedWhenIdle<B extends Bus>(bus: B): B {
  let onTheWay = 0;
  const append = bus.append.bind(bus);
  bus.append = async (...given) => {
    onTheWay += 1;
    return append(...given).finally(() => (onTheWay -= 1));
  };
  const close = async (): Promise<void> => {
    await systemClock.sleep(0);
    await eventually(() => onTheWay === 0);
    await bus.close();
  };
  opened.push({ close });
  return bus;
}

const busAt = async (url: string): Promise<Bus> => closedWhenIdle(await openBus(url));
const memoryBus = (): Bus => closedWhenIdle(createMemoryBus().handle());

/** The breakers of a process that has just started. */
async function started(bus: Pick<Bus, 'latch' | 'append'>, strategyId = 'mean-reversion') {
  const breakers = createStrategyBreakers(strategyId, CONFIG, { bus });
  opened.push(breakers);
  await breakers.ready;
  return breakers;
}

const storedTrips = async (bus: Bus): Promise<string | undefined> =>
  (await bus.latch(breakerLatch('mean-reversion')).get()).fields['trips'];
const increases = (breakers: { check(nowMs: number, intent: 'increase'): unknown }) => breakers.check(performance.now(), 'increase');

describe('a trip on the bus', () => {
  it('S7: survives a restart, and only a reset that is committed there ends it', async () => {
    const url = `journal:${fastTemporaryDirectory()}`;
    const bus = await busAt(url);
    const first = await started(bus);
    expect(increases(first)).toBeUndefined();
    first.recordFill(result(-1));
    await eventually(async () => (await storedTrips(bus))?.includes('consecutive_losses') === true);
    await first.close();

    const again = await started(await busAt(url));
    expect(increases(again)).toMatchObject({ code: 'circuit_breaker_consecutive_losses' });
    expect(again.verdict()).toMatchObject({ triggered: true, reasonCode: 'consecutive_losses', status: 'tripped' });
    expect(await again.reset({ by: 'operator', reason: 'reviewed' })).toMatchObject({ outcome: 'reset', verdict: { triggered: false } });

    const third = await started(await busAt(url));
    expect(increases(third)).toBeUndefined();
    const other = await started(bus, 'another-strategy');
    expect(increases(other)).toBeUndefined();
  });

  it('S12: trip and reset are on record, with who asked and why', async () => {
    const bus = await busAt(`journal:${fastTemporaryDirectory()}`);
    const breakers = await started(bus);
    breakers.recordFill(result(-1));
    await breakers.reset({ by: 'operator', reason: 'reviewed' });
    const recorded = async () => (await readAudit(bus)).entries;
    await eventually(async () => (await recorded()).some((entry) => entry.event === 'breaker.reset'));
    const entries = await recorded();
    expect(entries.find((entry) => entry.event === 'breaker.tripped')).toMatchObject({
      actor: 'breakers:mean-reversion',
      details: { breaker: 'consecutive_losses' },
    });
    expect(entries.find((entry) => entry.event === 'breaker.reset')).toMatchObject({ cause: 'reviewed', details: { by: 'operator' } });
  });

  it('S7: stands under another configuration too, also one that no longer has its breaker', async () => {
    const bus = memoryBus();
    const first = await started(bus);
    first.recordFill(result(-1));
    await eventually(async () => (await storedTrips(bus))?.includes('consecutive_losses') === true);
    await first.close();
    for (const config of [{}, { consecutiveLosses: { max: 0 } }, { consecutiveLosses: { max: 100 }, probe: { afterMs: 1 } }]) {
      const changed = createStrategyBreakers('mean-reversion', config, { bus });
      opened.push(changed);
      await changed.ready;
      expect(changed.verdict()).toMatchObject({ triggered: true, reasonCode: 'consecutive_losses', status: 'tripped' });
    }
  });

  it('S7: survives however long its message is', async () => {
    const bus = memoryBus();
    const first = await started(bus);
    const source = { closes: () => [], refusals: () => ({ count: 1, latest: { message: 'x'.repeat(100_000) } }) };
    expect(first.recordFills(source)).toMatchObject({ reasonCode: 'fill_refused' });
    await eventually(async () => (await storedTrips(bus))?.includes('fill_refused') === true);
    await first.close();
    expect((await started(bus)).verdict()).toMatchObject({ triggered: true, reasonCode: 'fill_refused' });
  });

  it('S3: until the bus was read, orders are refused', async () => {
    const bus = memoryBus();
    const breakers = createStrategyBreakers('mean-reversion', CONFIG, { bus });
    opened.push(breakers);
    expect(increases(breakers)).toMatchObject({ code: 'circuit_breaker_unknown_state' });
    await breakers.ready;
    expect(increases(breakers)).toBeUndefined();
  });

  it('S3: a value that cannot be understood is a trip, which a reset can name', async () => {
    const bus = memoryBus();
    await bus.latch(breakerLatch('mean-reversion')).compareAndSet(0, { schema: '1', trips: 'torn' });
    const breakers = await started(bus);
    expect(increases(breakers)).toMatchObject({ code: 'circuit_breaker_unknown_state' });
    expect(await breakers.reset({ by: 'operator', reason: 'reviewed' })).toMatchObject({ outcome: 'reset' });
    expect(increases(await started(bus))).toBeUndefined();
  });

  it('S7: a reset that the bus does not take leaves everything tripped', async () => {
    const bus = memoryBus();
    const clock = new ManualClock();
    let isFull = false;
    const failing: Pick<Bus, 'latch' | 'append'> = {
      append: (...args) => bus.append(...args),
      latch: (key) => {
        const latch = bus.latch(key);
        return {
          get: () => latch.get(),
          watch: (...args) => latch.watch(...args),
          compareAndSet: async (...args) =>
            isFull ? { outcome: 'refused', reason: 'no_space', detail: 'the disk is full' } : latch.compareAndSet(...args),
        };
      },
    };
    const breakers = createStrategyBreakers('mean-reversion', CONFIG, { bus: failing, clock });
    opened.push(breakers);
    await breakers.ready;
    breakers.recordFill(result(-1));
    await eventually(async () => (await storedTrips(bus))?.includes('consecutive_losses') === true);
    isFull = true;
    const reset = breakers.reset({ by: 'operator', reason: 'reviewed' });
    await clock.advance(6_000);
    expect(await reset).toMatchObject({
      outcome: 'unknown',
      detail: expect.stringContaining('the disk is full') as unknown,
      verdict: { triggered: true },
    });
    isFull = false;
    expect(await breakers.reset({ by: 'operator', reason: 'reviewed' })).toMatchObject({ outcome: 'reset' });
    expect(await storedTrips(bus)).toBe('[]');
  });

  it('S3: what trips while a reset is on its way stays', async () => {
    const bus = memoryBus();
    const breakers = await started(bus);
    breakers.recordFill(result(-1));
    const reset = breakers.reset({ by: 'operator', reason: 'reviewed' });
    breakers.recordFill(result(-1));
    expect(await reset).toMatchObject({ outcome: 'reset', verdict: { triggered: true, type: 'consecutive_losses' } });
    await eventually(async () => (await storedTrips(bus))?.includes('consecutive_losses') === true);
    expect(await breakers.reset({ by: 'operator', reason: 'reviewed' })).toMatchObject({ verdict: { triggered: false } });
  });

  it('S3: a trip that the bus does not take is in force here, and is written as soon as it does', async () => {
    const bus = memoryBus();
    const clock = new ManualClock();
    let isAway = true;
    const away: Pick<Bus, 'latch' | 'append'> = {
      append: (...args) => bus.append(...args),
      latch: (key) => {
        if (isAway) throw new Error('no contact');
        return bus.latch(key);
      },
    };
    const breakers = createStrategyBreakers('mean-reversion', CONFIG, { bus: away, clock });
    opened.push(breakers);
    expect(breakers.recordFill(result(-1))).toMatchObject({ triggered: true, type: 'consecutive_losses' });
    await clock.advance(1_000);
    expect(await storedTrips(bus)).toBeUndefined();
    isAway = false;
    await clock.advance(1_000);
    await breakers.ready;
    expect(await storedTrips(bus)).toContain('consecutive_losses');
  });
});
