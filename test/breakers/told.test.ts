/** What the breakers tell, in full: at the door, as a verdict, in the record, and to whoever resets them. */
import { describe, expect, it } from 'vitest';
import { readAudit } from '../../src/audit/readAudit.js';
import type { BreakerEvent, DoorEvent } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { systemClock } from '../../src/clock.js';
import type { Logger } from '../../src/logger.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { scene } from './support.js';

const PROBE = { afterMs: 1_000, maxOrders: 1, maxAttempts: 2, timeoutMs: 500 } as const;
const BAD_QUOTE = { bid: 1, ask: 2 };
const GOOD_QUOTE = { bid: 1, ask: 1 };
const QUOTE = { quote: { maxSpread: 0.1 } } as const;
const name = 'breakers:mean-reversion';

describe('at the door', () => {
  it('a latched trip is refused with its breaker, its words and since when', () => {
    const { breakers, clock } = scene(QUOTE);
    breakers.recordQuote(BAD_QUOTE);
    const message = 'the spread as a share of the middle: 0.6666666666666666 is more than 0.1';
    expect(breakers.check(clock.monotonicMs(), 'increase')).toStrictEqual({
      code: 'circuit_breaker_quote',
      source: name,
      reason: `spread_too_wide: ${message}`,
      sinceWallMs: clock.wallMs(),
    });
    expect(breakers.verdict()).toStrictEqual({
      triggered: true,
      reasonCode: 'spread_too_wide',
      message,
      details: { value: 2 / 3, limit: 0.1, usage: 2 / 3 / 0.1 },
      type: 'quote',
      status: 'tripped',
    });
  });

  it('what is waited for is refused without a time, and closed breakers say that all is well', () => {
    const { breakers, clock } = scene(QUOTE);
    const reason = 'no_quote: there is no quote yet';
    expect(breakers.check(clock.monotonicMs(), 'increase')).toStrictEqual({ code: 'circuit_breaker_quote', source: name, reason });
    breakers.recordQuote(GOOD_QUOTE);
    expect(breakers.check(clock.monotonicMs(), 'increase')).toBeUndefined();
    const clear = { triggered: false, reasonCode: 'ok', message: 'no breaker has tripped', details: {}, status: 'closed' };
    expect(breakers.verdict()).toStrictEqual(clear);
  });

  it('a trip that will be probed says when, at the door and as a verdict', async () => {
    const { breakers, clock } = scene({ ...QUOTE, probe: PROBE });
    breakers.recordQuote(BAD_QUOTE);
    await clock.advance(400);
    expect(breakers.check(clock.monotonicMs(), 'increase')).toMatchObject({ retryAfterMs: 600 });
    expect(breakers.verdict()).toMatchObject({ status: 'cooling', retryAfterMs: 600 });
    await clock.advance(600);
    expect(breakers.verdict()).toMatchObject({ status: 'probing', retryAfterMs: 500 });
  });
});

describe('to a probe', () => {
  const probing = async () => {
    const set = scene({ ...QUOTE, probe: { ...PROBE, maxOrders: 2 } });
    set.breakers.recordQuote(BAD_QUOTE);
    await set.clock.advance(PROBE.afterMs);
    const tell = (event: DoorEvent) => set.breakers.observe(event);
    const admitted = (entryId: number, intent: 'increase' | 'cancel' = 'increase') => tell({ type: 'admitted', entryId, intent });
    const settled = (entryId: number, type: 'settled' | 'lateSettled' = 'settled', outcome: 'acknowledged' | 'unknown' = 'acknowledged') =>
      tell({ type, entryId, settled: { outcome } });
    return { ...set, tell, admitted, settled };
  };

  it('only orders that it has granted count, settled in time or late', async () => {
    const { breakers, refusal, admitted, settled } = await probing();
    expect(refusal()).toBeUndefined();
    admitted(1, 'cancel');
    admitted(2);
    admitted(3);
    expect(breakers.state()).toMatchObject({ pending: [2], acknowledged: 0 });
    settled(3);
    expect(breakers.state()).toMatchObject({ pending: [2], acknowledged: 0 });
    settled(2, 'lateSettled');
    expect(breakers.state()).toMatchObject({ pending: [], acknowledged: 1 });
    expect(refusal()).toBeUndefined();
    admitted(4);
    settled(4);
    expect(breakers.state()).toEqual({ status: 'closed' });
  });

  it('an unknown outcome is not said to have failed before it settles so', async () => {
    const { breakers, refusal, admitted, settled, tell } = await probing();
    refusal();
    admitted(1);
    tell({ type: 'unknown' });
    expect(breakers.state()).toMatchObject({ status: 'probing', pending: [1] });
    settled(1, 'lateSettled', 'unknown');
    expect(breakers.state().status).toBe('cooling');
  });

  it('a refusal of its own, or of an order that nothing was granted to, gives no place back', async () => {
    const { refusal, tell } = await probing();
    const refused = (source: string) => tell({ type: 'refused', intent: 'increase', refusal: { source } });
    expect([refusal(), refusal()]).toEqual([undefined, undefined]);
    refused(name);
    expect(refusal()).toBeDefined();
    refused('other');
    expect(refusal()).toBeDefined();
  });
});

describe('to listeners', () => {
  it('a status is told once for each change', () => {
    const { breakers } = scene({ ...QUOTE, drawdown: { maxFraction: 0.1 } });
    const events: BreakerEvent[] = [];
    breakers.onEvent((event) => void events.push(event));
    breakers.recordQuote(GOOD_QUOTE);
    breakers.recordEquity(100);
    breakers.recordQuote(BAD_QUOTE);
    breakers.recordQuote(BAD_QUOTE);
    breakers.recordEquity(50);
    expect(events.map((event) => (event.type === 'tripped' ? event.trip.type : event.type))).toEqual(['status', 'quote', 'drawdown']);
  });
});

describe('to the record', () => {
  it('an evaluation that failed is noted where it is not a trip, with what failed', () => {
    const noted: unknown[] = [];
    const note = (details: object, message: string): void => void noted.push([message, details]);
    const logger: Logger = { debug: note, info: note, warn: note, error: note };
    const clock = { ...systemClock, monotonicMs: () => Number.NaN };
    const breakers = createStrategyBreakers('s', { onEvaluationError: 'allow' }, { clock, logger });
    const cause = 'an evaluation failed: the clock answers NaN';
    breakers.recordIntent();
    expect(noted).toEqual([[cause, { strategyId: 's', event: 'breaker.evaluation_failed' }]]);
    const strict = createStrategyBreakers('s', {}, { clock });
    expect(strict.recordIntent()).toMatchObject({ type: 'evaluation_error', message: cause });
  });

  it('a reset that the bus does not take is noted with who asked for it and why', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock, random: seededRandom('bus') }).handle();
    const recorded: unknown[] = [];
    const audit = {
      record: async (entry: unknown) => {
        recorded.push(entry);
        return { outcome: 'unknown', detail: 'nobody asks' } as const;
      },
      flush: async () => {},
    };
    let isCut = false;
    const latch: typeof bus.latch = (key) => {
      const inner = bus.latch(key);
      const cut = { outcome: 'unknown', detail: 'cut' } as const;
      return {
        ...inner,
        get: () => inner.get(),
        watch: inner.watch.bind(inner),
        compareAndSet: async (...args) => (isCut ? cut : inner.compareAndSet(...args)),
      };
    };
    const breakers = createStrategyBreakers('s', QUOTE, { clock, bus: { ...bus, latch }, audit, random: seededRandom('breakers') });
    await clock.advance(50);
    breakers.recordQuote(BAD_QUOTE);
    await clock.advance(50);
    isCut = true;
    const reset = breakers.reset({ by: 'op', reason: 'looked at' });
    await clock.advance(6_000);
    const outcome = await reset;
    expect(outcome).toMatchObject({ outcome: 'unknown', verdict: { triggered: true } });
    const detail = outcome.outcome === 'unknown' ? outcome.detail : '';
    expect(detail).toMatch(/^not committed within 5000 ms: cut/);
    expect(recorded).toContainEqual({ event: 'breaker.reset_unknown', cause: 'op: looked at', details: { strategyId: 's', detail } });
    isCut = false;
    const closed = breakers.close();
    await clock.advance(2_000);
    await closed;
  });

  it('S12: the last entries are there when they are closed, however slow the bus is', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock, random: seededRandom('bus') }).handle();
    const slow: typeof bus.append = async (...args) => {
      await clock.sleep(300);
      return bus.append(...args);
    };
    const breakers = createStrategyBreakers('s', QUOTE, { clock, bus: { ...bus, append: slow }, random: seededRandom('breakers') });
    await clock.advance(50);
    breakers.recordQuote(BAD_QUOTE);
    await clock.advance(50);
    const recorded = breakers.close().then(() => readAudit(bus));
    await clock.advance(2_000);
    expect((await recorded).entries.map(({ event }) => event)).toEqual(['breaker.latched', 'breaker.tripped']);
  });

  it('whoever resets without a name or a reason is told so', async () => {
    const { breakers } = scene(QUOTE);
    await expect(breakers.reset({ by: '', reason: 'r' })).rejects.toMatchObject({ field: 'by' });
    await expect(breakers.reset({ by: 'op', reason: '' })).rejects.toMatchObject({ field: 'reason' });
    expect(() => createStrategyBreakers('a b', {})).toThrow(expect.objectContaining({ field: 'strategyId' }));
  });

  it('an adopted trip of the market cools as its own would', async () => {
    const clock = new ManualClock();
    const memory = createMemoryBus({ clock, random: seededRandom('bus') });
    const [first, second] = [0, 1].map((index) =>
      createStrategyBreakers('s', { ...QUOTE, probe: PROBE }, { clock, bus: memory.handle(), random: seededRandom(`b${index}`) }),
    );
    await clock.advance(50);
    first?.recordQuote(BAD_QUOTE);
    await clock.advance(300);
    expect(second?.state()).toMatchObject({ status: 'cooling', attempt: 0, trips: [{ type: 'quote' }] });
    const { entries } = await readAudit(memory.handle());
    expect(entries.map(({ event }) => event)).toContain('breaker.adopted');
    const closing = Promise.all([first?.close(), second?.close()]);
    await clock.advance(2_000);
    await closing;
  });
});
