import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BreakerEvent } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { ConfigurationError } from '../../src/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';
import { calm, MINUTE_MS, result, scene } from './support.js';

const VOLATILE = { volatility: { threshold: 3 } } as const;
const CRASH = [96, 97, 95];

async function crashed(config: Parameters<typeof scene>[0] = VOLATILE) {
  const set = scene(config);
  for (const close of [...calm(38), ...CRASH]) await set.bar(close);
  return set;
}

describe('a trip', () => {
  it('is latched: calm bars do not end it, a reset by a named person does', async () => {
    const { breakers, bar, refusal } = await crashed();
    expect(breakers.verdict()).toMatchObject({ triggered: true, type: 'abnormal_volatility', status: 'tripped' });
    for (const close of calm(100, 95)) await bar(close);
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_abnormal_volatility', source: 'breakers:mean-reversion' });
    await expect(breakers.reset({ by: '', reason: 'calm again' })).rejects.toThrow(ConfigurationError);
    await expect(breakers.reset({ by: 'operator', reason: ' ' })).rejects.toThrow(ConfigurationError);
    expect(refusal()).toBeDefined();
    const outcome = await breakers.reset({ by: 'operator', reason: 'calm again' });
    expect(outcome).toMatchObject({
      outcome: 'reset',
      cleared: [{ type: 'abnormal_volatility' }],
      verdict: { triggered: false, status: 'closed' },
    });
    expect(refusal()).toBeUndefined();
  });

  it('trips again with the next bar where the market is as wild as before the reset', async () => {
    const { breakers, bar } = await crashed();
    await breakers.reset({ by: 'operator', reason: 'hope' });
    expect(await bar(90)).toMatchObject({ triggered: true, type: 'abnormal_volatility' });
  });

  it('S10: leaves the way out open: it refuses neither a cancel nor a reduction', async () => {
    const { refusal } = await crashed();
    expect(refusal('increase')).toBeDefined();
    expect(refusal('reduce')).toBeUndefined();
    expect(refusal('cancel')).toBeUndefined();
  });

  it('keeps the first reason, and every further one until a reset', async () => {
    const { breakers, refusal } = await crashed({ ...VOLATILE, consecutiveLosses: { max: 2 } });
    breakers.recordFill(result(-1));
    breakers.recordFill(result(-1));
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_abnormal_volatility' });
    const state = breakers.state();
    expect(state.status === 'tripped' && state.trips.map(({ type }) => type)).toEqual(['abnormal_volatility', 'consecutive_losses']);
    const outcome = await breakers.reset({ by: 'operator', reason: 'seen' });
    expect(outcome.outcome === 'reset' && outcome.cleared).toHaveLength(2);
  });

  it('S13: a listener or logger that throws changes nothing', async () => {
    const throws = () => {
      throw new Error('metrics are down');
    };
    const logger = { debug: throws, info: throws, warn: throws, error: throws };
    const audit = { record: throws };
    const { breakers, refusal } = scene({ consecutiveLosses: { max: 1 } }, { logger, audit });
    breakers.onEvent(throws);
    expect(breakers.recordFill(result(-1))).toMatchObject({ triggered: true, type: 'consecutive_losses' });
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_consecutive_losses' });
  });
});

describe('data that cannot be believed', () => {
  const faults: readonly [string, unknown, string][] = [
    ['a missing bar', undefined, 'bar_missing'],
    ['a missing price', { openMs: 1 }, 'price_missing'],
    ['NaN', { openMs: 1, close: Number.NaN }, 'price_not_a_number'],
    ['Infinity', { openMs: 1, close: Number.POSITIVE_INFINITY }, 'price_infinite'],
    ['a negative price', { openMs: 1, close: -1 }, 'price_negative'],
    ['a price of zero', { openMs: 1, close: 0 }, 'price_zero'],
    ['a text', { openMs: 1, close: '100' }, 'price_not_a_number'],
    ['a low that is no price', { openMs: 1, close: 100, low: Number.NaN }, 'price_not_a_number'],
    ['no time', { close: 100 }, 'time_invalid'],
  ];

  it.each(faults)('trap 19: %s trips, whatever is configured', (_what, bar, reasonCode) => {
    const { breakers, refusal } = scene({});
    expect(breakers.recordBar(bar as never)).toMatchObject({ triggered: true, reasonCode, type: 'invalid_data' });
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_invalid_data' });
  });

  it.each([
    ['an order of no quantity', 'quantity_invalid', { symbol: 'AAPL', side: 'buy', quantity: 0, price: 1 }, 'recordOrder'],
    ['an order of neither side', 'quantity_invalid', { symbol: 'AAPL', side: 'both', quantity: 1, price: 1 }, 'recordOrder'],
    ['a result without a figure', 'pnl_invalid', { pnl: 'NaN', closedAtMs: 1, ids: ['a'] }, 'recordFill'],
    ['a result without a fill', 'pnl_invalid', { pnl: '1', closedAtMs: 1, ids: [] }, 'recordFill'],
    ['half an intent', 'count_invalid', 0.5, 'recordIntent'],
  ] as const)('trap 19: %s trips as %s', (_what, reasonCode, given, method) => {
    const { breakers } = scene({});
    expect(breakers[method](given as never)).toMatchObject({ triggered: true, type: 'invalid_data', reasonCode });
  });

  it('a bar that is older than the one before it trips; the same bar again does not', () => {
    const { breakers } = scene({});
    breakers.recordBar({ openMs: 2_000, close: 100 });
    expect(breakers.recordBar({ openMs: 2_000, close: 100 }).triggered).toBe(false);
    expect(breakers.recordBar({ openMs: 1_000, close: 100 })).toMatchObject({ triggered: true, reasonCode: 'bar_out_of_order' });
  });

  it('the same time with another price is out of order too', () => {
    const { breakers } = scene({});
    breakers.recordBar({ openMs: 2_000, close: 100 });
    expect(breakers.recordBar({ openMs: 2_000, close: 101 })).toMatchObject({ triggered: true, reasonCode: 'bar_out_of_order' });
  });

  it('bars of several symbols are each in their own order', () => {
    const { breakers } = scene({});
    breakers.recordBar({ symbol: 'A', openMs: 2_000, close: 100 });
    expect(breakers.recordBar({ symbol: 'B', openMs: 1_000, close: 5 }).triggered).toBe(false);
  });

  it('a bar from the future trips', () => {
    const { breakers, clock } = scene({});
    expect(breakers.recordBar({ openMs: clock.wallMs() + 2_000, close: 100 }).triggered).toBe(false);
    expect(breakers.recordBar({ openMs: clock.wallMs() + 2_001, close: 100 })).toMatchObject({
      triggered: true,
      reasonCode: 'bar_from_future',
    });
  });

  it('trap 25: a wall clock that is set back makes no bar one from the future, and none that is set on makes one stale', async () => {
    const { breakers, clock, bar } = scene({ staleData: { maxAgeMs: 2 * MINUTE_MS } });
    await bar(100);
    const openMs = clock.wallMs();
    clock.stepWall(-3_600_000);
    expect(breakers.recordBar({ openMs, close: 100 })).toMatchObject({ triggered: false });
    clock.stepWall(7_200_000);
    expect(breakers.verdict()).toMatchObject({ triggered: false });
    expect(breakers.recordBar({ openMs: openMs + MINUTE_MS, close: 100 })).toMatchObject({ triggered: false });
  });

  const hostile = {
    get close(): number {
      throw new Error('the feed is broken');
    },
    openMs: 1,
  };

  it('an evaluation that throws trips, unless it is configured to be written down only', () => {
    expect(scene({}).breakers.recordBar(hostile)).toMatchObject({
      triggered: true,
      type: 'evaluation_error',
      reasonCode: 'evaluation_error',
    });
    const { breakers, refusal } = scene({ onEvaluationError: 'allow' });
    expect(breakers.recordBar(hostile)).toMatchObject({ triggered: false });
    expect(refusal()).toBeUndefined();
    // A fault that was recognised is no failed evaluation.
    expect(breakers.recordBar({ openMs: 1, close: Number.NaN })).toMatchObject({ triggered: true });
  });

  it('a clock that fails trips', () => {
    const clock = new ManualClock();
    const broken = Object.assign(Object.create(clock) as ManualClock, { monotonicMs: clock.monotonicMs, wallMs: clock.wallMs });
    const breakers = createStrategyBreakers('s', {}, { clock: broken });
    Object.assign(broken, {
      monotonicMs: () => {
        throw new Error('no clock');
      },
      wallMs: () => {
        throw new Error('no clock');
      },
    });
    expect(breakers.recordEquity(1)).toMatchObject({ triggered: true, reasonCode: 'evaluation_error' });
  });

  it.each([Number.NaN, Infinity, -Infinity])('a clock that answers %s trips: an order of no time would stand in no window', (nowMs) => {
    const clock = Object.assign(new ManualClock(), { monotonicMs: () => nowMs });
    const breakers = createStrategyBreakers('s', { orderRate: { max: 5, windowMs: 1_000 } }, { clock });
    const order = { symbol: 'AAPL', side: 'buy', quantity: 1 } as const;
    expect(breakers.recordOrder(order)).toMatchObject({ triggered: true, reasonCode: 'evaluation_error' });
  });

  it('S3: whatever is recorded, nothing throws, and what has tripped stays tripped', () => {
    const config = {
      missingData: true,
      staleData: { maxAgeMs: 1e9, expectedIntervalMs: 1 },
      volatility: { threshold: 3, recentN: 2, baselineN: 2 },
      quote: { maxSpread: 0.1, maxAgeMs: 1e9 },
      consecutiveLosses: { max: 3, inLast: { losses: 2, results: 4 }, lossSum: { limit: 100, windowMs: 1_000 } },
      dailyLoss: { limit: 100 },
      drawdown: { maxFraction: 0.5 },
      orderRate: { max: 5, windowMs: 1_000 },
      repeatedOrders: { max: 2, windowMs: 1_000 },
      ordersPerIntent: { max: 2, windowMs: 1_000 },
      notional: { perOrder: 1e6, perWindow: 1e7 },
      priceCollar: { maxDeviation: 0.1 },
    } as const;
    const methods = ['recordBar', 'recordBars', 'recordQuote', 'recordFill', 'recordEquity', 'recordIntent', 'recordOrder'] as const;
    const price = fc.oneof(fc.double(), fc.constantFrom(100, 101, undefined));
    const datum = fc.oneof(
      fc.anything(),
      price,
      fc.record({ openMs: fc.integer(), close: price }),
      fc.record({ bid: price, ask: price }),
      fc.record({ pnl: price.map(String), closedAtMs: fc.integer(), ids: fc.array(fc.string()) }),
      fc.record({ symbol: fc.string(), side: fc.constantFrom('buy', 'sell'), quantity: price, price }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...methods), datum), { maxLength: 20 }), (steps) => {
        const { breakers, refusal } = scene(config);
        let tripped = false;
        for (const [method, given] of steps) {
          const verdict = breakers[method](given as never);
          if (tripped) expect(verdict.triggered).toBe(true);
          tripped ||= breakers.state().status === 'tripped';
          expect(refusal() === undefined).toBe(!verdict.triggered);
        }
      }),
      { seed: fcSeed, numRuns: 300 },
    );
  });
});

describe('data that does not come', () => {
  it('before the first bar orders are refused, and nothing is latched', async () => {
    const { refusal, bar, breakers } = scene({ missingData: true });
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_missing_market_data' });
    expect(breakers.state()).toEqual({ status: 'closed' });
    expect(await bar(100)).toMatchObject({ triggered: false });
    expect(refusal()).toBeUndefined();
  });

  it('an empty list of bars trips', () => {
    expect(scene({ missingData: true }).breakers.recordBars([])).toMatchObject({
      triggered: true,
      status: 'tripped',
      reasonCode: 'no_bars',
    });
    expect(scene({}).breakers.recordBars([])).toMatchObject({ triggered: false });
  });

  it('a feed that falls silent is refused at the door by the clock of the door, and latched', async () => {
    const { refusal, bar, clock, breakers } = scene({ staleData: { maxAgeMs: MINUTE_MS } });
    await bar(100);
    await clock.advance(MINUTE_MS);
    expect(refusal()).toBeUndefined();
    await clock.advance(1);
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_stale_market_data' });
    breakers.recordBar({ openMs: clock.wallMs(), close: 100 });
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_stale_market_data' });
  });

  it('a silence that nobody asked about is found with the bar that ends it', async () => {
    const { bar, clock } = scene({ staleData: { maxAgeMs: 2 * MINUTE_MS } });
    await bar(100);
    await clock.advance(2 * MINUTE_MS);
    expect(await bar(100)).toMatchObject({ triggered: true, reasonCode: 'market_data_stale' });
  });

  it('a door without a clock is refused', async () => {
    const { breakers, bar } = scene({ staleData: { maxAgeMs: 2 * MINUTE_MS } });
    await bar(100);
    expect(breakers.check(Number.NaN, 'increase')).toMatchObject({ code: 'circuit_breaker_stale_market_data' });
  });

  it('onInsufficientData: trip refuses until the windows are full', async () => {
    const { bar, refusal } = scene({ volatility: { threshold: 3, onInsufficientData: 'trip' } });
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_abnormal_volatility' });
    for (const close of calm(37)) await bar(close);
    expect(refusal()).toMatchObject({ reason: expect.stringContaining('volatility_insufficient_data') as unknown });
    await bar(100);
    expect(refusal()).toBeUndefined();
  });
});

describe('orders', () => {
  const order = { symbol: 'AAPL', side: 'buy', quantity: 10, price: 100 } as const;

  it('the order that trips is itself refused at the door', async () => {
    const { breakers, clock } = scene({ notional: { perOrder: 1_000 } });
    const sent: number[] = [];
    const submit = guardOrderSubmission((quantity: number) => sent.push(quantity), { gate: createShutdownGate({ clock }), breakers });
    for (const quantity of [10, 11]) {
      breakers.recordOrder({ ...order, quantity });
      submit.trySubmit(quantity);
    }
    expect(sent).toEqual([10]);
  });

  it('rates, repetitions and intents', () => {
    const rate = scene({ orderRate: { max: 2, windowMs: 1_000 } }).breakers;
    const repeated = scene({ repeatedOrders: { max: 2, windowMs: 1_000 } }).breakers;
    const intents = scene({ ordersPerIntent: { max: 1, windowMs: 1_000 } }).breakers;
    const reasons = [rate, repeated, intents].map((breakers) => {
      breakers.recordIntent(2);
      return [1, 2, 3].map(() => breakers.recordOrder(order).reasonCode);
    });
    expect(reasons).toEqual([
      ['ok', 'ok', 'order_rate'],
      ['ok', 'ok', 'repeated_order'],
      ['ok', 'ok', 'orders_exceed_intents'],
    ]);
  });

  it('a collar is held against the middle of the quote, or the last close', async () => {
    const { breakers, bar } = scene({ priceCollar: { maxDeviation: 0.05 } });
    await bar(100);
    expect(breakers.recordOrder({ ...order, price: 104 }).triggered).toBe(false);
    breakers.recordQuote({ bid: 108, ask: 112 });
    expect(breakers.recordOrder({ ...order, price: 104 })).toMatchObject({ triggered: true, reasonCode: 'price_collar' });
  });

  it('a market order without a price trips where its notional is limited', () => {
    const { symbol, side, quantity } = order;
    expect(scene({ notional: { perOrder: 1_000 } }).breakers.recordOrder({ symbol, side, quantity })).toMatchObject({
      reasonCode: 'price_missing',
    });
    expect(scene({}).breakers.recordOrder({ symbol, side, quantity })).toMatchObject({ triggered: false });
  });

  it('a reset begins streaks and rates again; the peak only where it is asked to', async () => {
    const { breakers } = scene({ drawdown: { maxFraction: 0.1 }, consecutiveLosses: { max: 2 } });
    breakers.recordFill(result(-1));
    breakers.recordFill(result(-1));
    await breakers.reset({ by: 'operator', reason: 'seen' });
    expect(breakers.recordFill(result(-1)).triggered).toBe(false);
    breakers.recordEquity(100);
    expect(breakers.recordEquity(90).triggered).toBe(true);
    await breakers.reset({ by: 'operator', reason: 'seen' });
    expect(breakers.recordEquity(90).triggered).toBe(true);
    await breakers.reset({ by: 'operator', reason: 'seen', rebase: true });
    expect(breakers.recordEquity(90).triggered).toBe(false);
  });
});

it('warns at 50, 75 and 90 % of a limit, each once on the way up', () => {
  const { breakers } = scene({ orderRate: { max: 20, windowMs: 1_000 } });
  const levels: number[] = [];
  breakers.onEvent((event: BreakerEvent) => {
    if (event.type === 'warning') levels.push(event.level);
  });
  const order = { symbol: 'AAPL', side: 'buy', quantity: 1 } as const;
  for (let count = 0; count < 20; count += 1) breakers.recordOrder(order);
  expect(levels).toEqual([0.5, 0.75, 0.9]);
  expect(breakers.verdict().triggered).toBe(false);
});
