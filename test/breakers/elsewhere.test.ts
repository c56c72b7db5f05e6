/** What the breakers of one strategy learn from the bus while they run. */
import { afterEach, describe, expect, it } from 'vitest';
import type { BreakerEvent, StrategyBreakers } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { type Bus, BusUnavailableError, type Latch } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { ConfigurationError } from '../../src/errors.js';
import { breakerLatch } from '../../src/messages/breaker.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { result } from './support.js';

const LATCH = breakerLatch('mean-reversion');
const STALE_MS = 1_000;
/** What is changed there without a ring is found with the next reading. */
const POLL_MS = STALE_MS / 4;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close();
});

/** Several processes on one clock and one bus, whose answers the test can bend. */
function fleet(config: Parameters<typeof createStrategyBreakers>[1] = { consecutiveLosses: { max: 1 } }) {
  const clock = new ManualClock();
  const memory = createMemoryBus({ clock });
  const bus = memory.handle();
  opened.push(bus);
  const start = async (bend: (latch: Latch) => Partial<Latch> = () => ({})) => {
    const bent: Pick<Bus, 'latch' | 'append'> = {
      append: (...args) => bus.append(...args),
      latch: (key) => {
        const latch = bus.latch(key);
        return {
          get: () => latch.get(),
          watch: (...args) => latch.watch(...args),
          compareAndSet: (...args) => latch.compareAndSet(...args),
          ...bend(latch),
        };
      },
    };
    const breakers = createStrategyBreakers('mean-reversion', config, { bus: bent, clock });
    opened.push(breakers);
    await clock.advance(0);
    await breakers.ready;
    return breakers;
  };
  const codeOf = (breakers: StrategyBreakers) => breakers.check(clock.monotonicMs(), 'increase')?.code;
  return { clock, memory, bus, start, codeOf };
}

const LOST = 'circuit_breaker_consecutive_losses';
const UNKNOWN = 'circuit_breaker_unknown_state';
const RESET = { by: 'operator', reason: 'reviewed' } as const;
const tripCount = (breakers: StrategyBreakers): number => {
  const state = breakers.state();
  return state.status === 'closed' ? 0 : state.trips.length;
};

describe('a trip of another process', () => {
  it('S1: stops this one as soon as it is on the bus', async () => {
    const { clock, start, codeOf } = fleet();
    const [here, there] = [await start(), await start()];
    const events: BreakerEvent[] = [];
    here.onEvent((event) => events.push(event));
    there.recordFill(result(-1));
    await clock.advance(1);
    expect(codeOf(here)).toBe(LOST);
    expect(events.map(({ type }) => type)).toEqual(['status', 'tripped']);
  });

  it('ends here when it is reset there, and counting begins again here too', async () => {
    const { clock, start, codeOf } = fleet({ consecutiveLosses: { max: 2 } });
    const [here, there] = [await start(), await start()];
    here.recordFill(result(-1));
    for (const loss of [result(-1), result(-1)]) there.recordFill(loss);
    await clock.advance(1);
    expect(codeOf(here)).toBe(LOST);
    const events: BreakerEvent[] = [];
    here.onEvent((event) => events.push(event));
    expect(await there.reset(RESET)).toMatchObject({ outcome: 'reset', cleared: [{ type: 'consecutive_losses' }] });
    await clock.advance(1);
    expect(codeOf(here)).toBeUndefined();
    expect(events).toContainEqual(expect.objectContaining({ type: 'reset', by: 'operator', reason: 'reviewed' }));
    here.recordFill(result(-1));
    expect(codeOf(here)).toBeUndefined();
  });

  it('peak and day begin again here only where that was asked for there', async () => {
    const { clock, start } = fleet({ drawdown: { maxFraction: 0.1 } });
    const [here, there] = [await start(), await start()];
    for (const equity of [100, 90]) here.recordEquity(equity);
    await clock.advance(1);
    await there.reset(RESET);
    await clock.advance(1);
    expect(here.recordEquity(90).triggered).toBe(true);
    await clock.advance(1);
    await there.reset({ ...RESET, rebase: true });
    await clock.advance(1);
    expect(here.recordEquity(90).triggered).toBe(false);
  });

  it('of the same type at the same time: both stand, and one reset ends both, on each side', async () => {
    const { clock, start, codeOf } = fleet();
    const [here, there] = [await start(), await start()];
    here.recordFill(result(-1));
    there.recordFill(result(-1));
    await clock.advance(1_000);
    expect([tripCount(here), tripCount(there)]).toEqual([2, 2]);
    expect(await here.reset(RESET)).toMatchObject({ outcome: 'reset', verdict: { triggered: false } });
    await clock.advance(1);
    expect([codeOf(here), codeOf(there)]).toEqual([undefined, undefined]);
  });

  it('ends here when a probe succeeds there, and what was counted here stands', async () => {
    const probe = { afterMs: 100, timeoutMs: 10_000, types: ['consecutive_losses'] } as const;
    const { clock, start, codeOf } = fleet({ consecutiveLosses: { max: 2 }, probe });
    const [here, there] = [await start(), await start()];
    here.recordFill(result(-1));
    for (const loss of [result(-1), result(-1)]) there.recordFill(loss);
    await clock.advance(150);
    expect(codeOf(there)).toBeUndefined();
    there.observe({ type: 'admitted', entryId: 7, intent: 'increase' });
    there.observe({ type: 'settled', entryId: 7, settled: { outcome: 'acknowledged' } });
    await clock.advance(1);
    expect([here.state().status, there.state().status]).toEqual(['closed', 'closed']);
    here.recordFill(result(-1));
    expect(codeOf(here)).toBe(LOST);
  });

  it('S7: is written again where the bus has forgotten it', async () => {
    const { clock, bus, start, codeOf } = fleet();
    const [here] = [await start()];
    here.recordFill(result(-1));
    await clock.advance(1);
    const latch = bus.latch(LATCH);
    const { version, fields } = await latch.get();
    await latch.compareAndSet(version, { ...fields, trips: '[]' });
    await clock.advance(POLL_MS);
    expect(codeOf(here)).toBe(LOST);
    expect((await latch.get()).fields['trips']).toContain('consecutive_losses');
  });

  it('a value that cannot be understood stops a process that runs, and a reset ends it for all', async () => {
    const { clock, bus, start, codeOf } = fleet();
    const [here, there] = [await start(), await start()];
    await bus.latch(LATCH).compareAndSet(0, { schema: '1', trips: 'torn' });
    await clock.advance(POLL_MS);
    expect([codeOf(here), codeOf(there)]).toEqual([UNKNOWN, UNKNOWN]);
    expect(await here.reset(RESET)).toMatchObject({ outcome: 'reset' });
    await clock.advance(1);
    expect([codeOf(here), codeOf(there)]).toEqual([undefined, undefined]);
  });
});

describe('a bus that is not heard', () => {
  const gone = () => Promise.reject(new BusUnavailableError('no contact'));

  it('S3: refuses once the last reading is too old, whatever the bus does, and allows again when it is heard', async () => {
    for (const silent of [gone, () => new Promise<never>(() => {})]) {
      const { clock, start, codeOf } = fleet();
      let isAway = false;
      const here = await start((latch) => ({
        get: () => (isAway ? silent() : latch.get()),
        watch: (...args) => (isAway ? silent() : latch.watch(...args)),
      }));
      await clock.advance(10_000);
      expect(codeOf(here)).toBeUndefined();
      isAway = true;
      await clock.advance(STALE_MS - 300);
      expect(codeOf(here)).toBeUndefined();
      // One read was on its way.
      await clock.advance(551);
      expect(codeOf(here)).toBe(UNKNOWN);
      expect(here.verdict()).toMatchObject({ triggered: true, type: 'unknown_state', reasonCode: 'state_unknown', status: 'closed' });
      expect(here.verdict().message).toMatch(/were last read \d+ ms ago, at most 1000 count/);
      isAway = false;
      await clock.advance(2_000);
      expect(codeOf(here)).toBeUndefined();
    }
  });

  it('S3: a process that stood still refuses until it has read again', async () => {
    const { clock, start, codeOf } = fleet();
    const here = await start();
    const asked: (string | undefined)[] = [];
    clock.setTimer(0, () => asked.push(codeOf(here)));
    await clock.stall(STALE_MS + 300);
    expect(asked).toEqual([UNKNOWN]);
    await clock.advance(1);
    expect(codeOf(here)).toBeUndefined();
  });

  it('S3: refuses with the next reading where the newest value is in doubt, and lets no reset end that', async () => {
    const { clock, memory, start, codeOf } = fleet();
    const here = await start();
    memory.spoilLatch(LATCH);
    await clock.advance(POLL_MS);
    expect(codeOf(here)).toBe(UNKNOWN);
    const reset = here.reset(RESET);
    await clock.advance(6_000);
    expect(await reset).toMatchObject({ outcome: 'unknown', verdict: { triggered: true, type: 'unknown_state' } });
  });

  it('S3: a probe lets nothing through meanwhile', async () => {
    const { clock, start, codeOf } = fleet({
      consecutiveLosses: { max: 1 },
      probe: { afterMs: 5_000, timeoutMs: 60_000, types: ['consecutive_losses'] },
    });
    let isAway = false;
    const here = await start((latch) => ({
      get: () => (isAway ? gone() : latch.get()),
      watch: (...args) => (isAway ? gone() : latch.watch(...args)),
    }));
    here.recordFill(result(-1));
    await clock.advance(1);
    isAway = true;
    await clock.advance(6_000);
    expect(codeOf(here)).toBe(LOST);
    expect(here.state().status).toBe('probing');
    isAway = false;
    await clock.advance(300);
    expect(codeOf(here)).toBeUndefined();
  });

  it('one that answers every read at once does not spin', async () => {
    const { clock, start } = fleet();
    let reads = 0;
    await start((latch) => ({
      watch: () => {
        reads += 1;
        return latch.get();
      },
    }));
    await clock.advance(100);
    expect(reads).toBeGreaterThan(10);
    expect(reads).toBeLessThan(110);
  });

  it('closed breakers hear nothing, and refuse', async () => {
    const { clock, start, codeOf } = fleet();
    const here = await start();
    await here.close();
    await clock.advance(STALE_MS + 1);
    expect(codeOf(here)).toBe(UNKNOWN);
  });

  it('another age than that can be asked for; one that cannot hold is an error', async () => {
    const { clock, start, codeOf } = fleet({ maxStalenessMs: 20 });
    let isAway = false;
    const here = await start((latch) => ({ get: () => (isAway ? gone() : latch.get()) }));
    await clock.advance(1_000);
    expect(codeOf(here)).toBeUndefined();
    isAway = true;
    await clock.advance(30);
    expect(codeOf(here)).toBe(UNKNOWN);
    for (const maxStalenessMs of [19, 60_001, Number.NaN, '1'])
      expect(() => createStrategyBreakers('s', { maxStalenessMs } as never)).toThrow(ConfigurationError);
  });
});

describe('a reset whose outcome is lost', () => {
  it('that stands on the bus all the same is one', async () => {
    const { clock, start, codeOf } = fleet();
    let isLost = false;
    const here = await start((latch) => ({
      compareAndSet: async (...args) => {
        const set = await latch.compareAndSet(...args);
        return isLost ? { outcome: 'unknown', detail: 'no answer' } : set;
      },
    }));
    here.recordFill(result(-1));
    await clock.advance(1);
    isLost = true;
    const reset = here.reset(RESET);
    await clock.advance(6_000);
    expect(await reset).toMatchObject({ outcome: 'reset', verdict: { triggered: false } });
    expect(codeOf(here)).toBeUndefined();
  });

  it('S7: that comes after its caller was told that it is not sure is taken back, on each side', async () => {
    const { clock, start, codeOf } = fleet();
    const late: (() => Promise<unknown>)[] = [];
    let isSlow = false;
    const here = await start((latch) => ({
      compareAndSet: (...args) => {
        if (!isSlow) return latch.compareAndSet(...args);
        return new Promise((resolve) => {
          late.push(async () => resolve(await latch.compareAndSet(...args)));
        });
      },
    }));
    const there = await start();
    here.recordFill(result(-1));
    await clock.advance(1);
    isSlow = true;
    const reset = here.reset(RESET);
    await clock.advance(6_000);
    expect(await reset).toMatchObject({ outcome: 'unknown', verdict: { triggered: true } });
    isSlow = false;
    await late[0]?.();
    await clock.advance(1_000);
    expect([codeOf(here), codeOf(there)]).toEqual([LOST, LOST]);
  });

  it('an answer that comes after the next look has begun is not believed', async () => {
    const { clock, start, codeOf } = fleet();
    const answers: (() => void)[] = [];
    let isSlow = false;
    const here = await start((latch) => ({
      get: async () => {
        const value = await latch.get();
        if (isSlow) await new Promise<void>((resolve) => answers.push(resolve));
        return value;
      },
    }));
    const there = await start();
    there.recordFill(result(-1));
    isSlow = true;
    await clock.advance(1_001);
    isSlow = false;
    await there.reset(RESET);
    await clock.advance(2_000);
    const events: BreakerEvent[] = [];
    here.onEvent((event) => events.push(event));
    expect(answers.length).toBeGreaterThan(0);
    for (const answer of answers) answer();
    await clock.advance(0);
    expect(here.state()).toEqual({ status: 'closed' });
    expect(events).toEqual([]);
    expect(codeOf(here)).toBeUndefined();
  });
});
