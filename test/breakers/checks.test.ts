import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abnormalVolatility } from '../../src/breakers/abnormalVolatility.js';
import { consecutiveLosses } from '../../src/breakers/consecutiveLosses.js';
import { dailyLoss } from '../../src/breakers/dailyLoss.js';
import { drawdown } from '../../src/breakers/drawdown.js';
import { missingMarketData } from '../../src/breakers/missingMarketData.js';
import { notional } from '../../src/breakers/notional.js';
import { orderRate } from '../../src/breakers/orderRate.js';
import { ordersPerIntent } from '../../src/breakers/ordersPerIntent.js';
import { priceCollar } from '../../src/breakers/priceCollar.js';
import { quoteQuality } from '../../src/breakers/quoteQuality.js';
import { repeatedOrders } from '../../src/breakers/repeatedOrders.js';
import { type CheckResult, REASON_CODES } from '../../src/breakers/result.js';
import { staleMarketData } from '../../src/breakers/staleMarketData.js';
import { fcSeed } from '../support/seed.js';
import { calm, result } from './support.js';

const DAY_MS = 86_400_000;
const order = { symbol: 'AAPL', side: 'buy', quantity: 10, price: 100, atMs: 0 } as const;

describe('missingMarketData', () => {
  it('trips where there are no bars, and passes where there are', () => {
    expect(missingMarketData([])).toMatchObject({ triggered: true, reasonCode: 'no_bars' });
    expect(missingMarketData([], { onInsufficientData: 'allow' })).toMatchObject({ triggered: false, reasonCode: 'no_bars' });
    expect(missingMarketData([{ close: 1 }])).toMatchObject({ triggered: false, reasonCode: 'ok' });
  });
});

describe('staleMarketData', () => {
  const options = { maxAgeMs: 1_000, expectedIntervalMs: 60_000, maxMissingBars: 1 };
  const bars = (...minutes: number[]) => minutes.map((minute) => ({ openMs: minute * 60_000 }));

  it('judges the age by receipt, on the monotonic clock', () => {
    expect(staleMarketData({ nowMs: 2_000, receivedMs: 1_000 }, options).triggered).toBe(false);
    expect(staleMarketData({ nowMs: 2_001, receivedMs: 1_000 }, options)).toMatchObject({
      triggered: true,
      reasonCode: 'market_data_stale',
    });
    expect(staleMarketData({ nowMs: 2_000 }, options)).toMatchObject({ triggered: true, reasonCode: 'no_bars' });
    expect(staleMarketData({ nowMs: 999, receivedMs: 1_000 }, options)).toMatchObject({ triggered: true, reasonCode: 'time_invalid' });
  });

  it('judges gaps by the times of the bars', () => {
    const judged = (...minutes: number[]) => staleMarketData({ nowMs: 0, receivedMs: 0, bars: bars(...minutes) }, options);
    expect(judged(1, 2, 4).triggered).toBe(false);
    expect(judged(1, 2, 5)).toMatchObject({ triggered: true, reasonCode: 'market_data_gap', details: { missing: 2 } });
    expect(judged(1, 3, 2)).toMatchObject({ triggered: true, reasonCode: 'bar_out_of_order' });
  });
});

describe('abnormalVolatility', () => {
  const wild = [...calm(36), 100, 103, 100, 104, 101];

  it('trips when recent returns scatter more than the baseline times the threshold, and not before', () => {
    expect(abnormalVolatility(calm(41), { threshold: 3 })).toMatchObject({ triggered: false, reasonCode: 'ok' });
    expect(abnormalVolatility(wild, { threshold: 3 })).toMatchObject({ triggered: true, reasonCode: 'abnormal_volatility' });
    const { details } = abnormalVolatility(wild, { threshold: 3 });
    expect(abnormalVolatility(wild, { threshold: Number(details['ratio']) }).triggered).toBe(false);
  });

  it('is off by default', () => {
    expect(abnormalVolatility(wild, {})).toMatchObject({ triggered: false, reasonCode: 'off' });
  });

  it('needs recent + baseline + 1 closes, two more where they are filtered', () => {
    const short = { triggered: false, reasonCode: 'volatility_insufficient_data' };
    expect(abnormalVolatility(calm(35), { threshold: 3, estimator: 'plain' })).toMatchObject(short);
    expect(abnormalVolatility(calm(36), { threshold: 3, estimator: 'plain' })).toMatchObject({ reasonCode: 'ok' });
    expect(abnormalVolatility(calm(37), { threshold: 3 })).toMatchObject(short);
    expect(abnormalVolatility(calm(38), { threshold: 3 })).toMatchObject({ reasonCode: 'ok' });
    expect(abnormalVolatility(calm(5), { threshold: 3, onInsufficientData: 'trip' })).toMatchObject({ ...short, triggered: true });
  });

  it('a frozen baseline has a reason of its own: it passes while the price stays, and trips when it moves', () => {
    const frozen = Array.from({ length: 40 }, () => 100);
    const tiny = 'volatility_baseline_too_small';
    expect(abnormalVolatility(frozen, { threshold: 3 })).toMatchObject({ triggered: false, reasonCode: tiny });
    expect(abnormalVolatility([...frozen, 101, 101], { threshold: 3 })).toMatchObject({ triggered: true, reasonCode: tiny });
    expect(abnormalVolatility([...frozen, 101, 101], { threshold: 3, minBaseline: 0.01 }).triggered).toBe(false);
  });

  it('one bad print trips the plain estimator and not the robust one', () => {
    const print = calm(42).with(38, 99.2);
    expect(abnormalVolatility(print, { threshold: 3, estimator: 'plain' }).triggered).toBe(true);
    expect(abnormalVolatility(print, { threshold: 3, estimator: 'robust' }).triggered).toBe(false);
  });
});

describe('consecutiveLosses', () => {
  const pnls = (...values: number[]) => values.map((pnl, index) => result(pnl, index * 1_000));

  it('counts losses in a row, and a win ends them', () => {
    expect(consecutiveLosses(pnls(-1, -1, -1), { max: 3 })).toMatchObject({ triggered: true, reasonCode: 'consecutive_losses' });
    expect(consecutiveLosses(pnls(-1, -1), { max: 3 })).toMatchObject({ triggered: false, details: { value: 2, usage: 2 / 3 } });
    expect(consecutiveLosses(pnls(-1, -1, 1, -1), { max: 3 }).triggered).toBe(false);
    expect(consecutiveLosses([], { max: 3 })).toMatchObject({ triggered: false, reasonCode: 'no_results' });
    expect(consecutiveLosses(pnls(-1), {})).toMatchObject({ triggered: false, reasonCode: 'off' });
  });

  it('counts each id once', () => {
    const twice = result(-1);
    expect(consecutiveLosses([twice, twice, twice], { max: 2 }).triggered).toBe(false);
  });

  it('sums losses over a window, and wins do not make up for them', () => {
    const lossSum = { limit: 10, windowMs: 1_500 };
    expect(consecutiveLosses(pnls(-6, 50, -4), { lossSum }).triggered).toBe(false);
    expect(consecutiveLosses(pnls(-1, -6, -4), { lossSum })).toMatchObject({ triggered: true, reasonCode: 'loss_sum' });
  });
});

describe('dailyLoss', () => {
  it('nets the results of the newest day, by their own times', () => {
    const yesterday = result(-50, DAY_MS - 1);
    expect(dailyLoss([yesterday, result(-5, DAY_MS)], { limit: 10 }).triggered).toBe(false);
    expect(dailyLoss([yesterday, result(-5, DAY_MS)], { limit: 10, dayStartsAtUtcMinutes: 60 })).toMatchObject({
      triggered: true,
      reasonCode: 'daily_loss',
    });
    expect(dailyLoss([result(-12, DAY_MS), result(5, DAY_MS)], { limit: 10 }).triggered).toBe(false);
    expect(dailyLoss([result(-12, DAY_MS), result(2, DAY_MS)], { limit: 10 }).triggered).toBe(true);
  });
});

describe('the day of a daily loss', () => {
  const nightAt = (iso: string): number => Date.parse(iso);

  it('is 24 hours of UTC, on leap days and when summer time begins or ends as well', () => {
    for (const midnight of ['2024-02-29T00:00Z', '2024-03-01T00:00Z', '2024-03-10T00:00Z', '2024-11-03T00:00Z', '2000-01-01T00:00Z']) {
      const atMs = nightAt(midnight);
      const lost = (closedAtMs: number) => dailyLoss([result(-9, closedAtMs), result(-1, atMs + DAY_MS - 1)], { limit: 10 }).triggered;
      expect([lost(atMs - 1), lost(atMs), lost(atMs + DAY_MS - 1)]).toEqual([false, true, true]);
    }
  });

  it('begins where it is asked to, to the millisecond, also before 1970', () => {
    for (const day of [0, -1, 19_000]) {
      const startMs = day * DAY_MS + 1_439 * 60_000;
      const lost = (closedAtMs: number) =>
        dailyLoss([result(-9, closedAtMs), result(-1, startMs + 1)], { limit: 10, dayStartsAtUtcMinutes: 1_439 }).triggered;
      expect([lost(startMs - 1), lost(startMs)]).toEqual([false, true]);
    }
  });
});

describe('drawdown', () => {
  it('measures from the highest equity', () => {
    expect(drawdown([100, 120, 109], { maxFraction: 0.1 }).triggered).toBe(false);
    expect(drawdown([100, 120, 108], { maxFraction: 0.1 })).toMatchObject({ triggered: true, reasonCode: 'drawdown' });
    expect(drawdown([], { maxFraction: 0.1 })).toMatchObject({ triggered: false, reasonCode: 'no_equity' });
    expect(drawdown([100, -1], { maxFraction: 0.1 })).toMatchObject({ triggered: true, reasonCode: 'equity_invalid' });
  });
});

describe('the checks on orders', () => {
  const orders = (count: number, everyMs: number) => Array.from({ length: count }, (_, index) => ({ ...order, atMs: index * everyMs }));
  const options = { max: 3, windowMs: 1_000 };

  it('orderRate: so many within the window, and one that is as old as the window has left', () => {
    expect(orderRate(orders(3, 100), 200, options).triggered).toBe(false);
    expect(orderRate(orders(4, 100), 300, options)).toMatchObject({ triggered: true, reasonCode: 'order_rate' });
    expect(orderRate(orders(4, 100), 1_000, options).triggered).toBe(false);
  });

  it('repeatedOrders: the same order again and again', () => {
    expect(repeatedOrders(orders(4, 1), 4, options)).toMatchObject({ triggered: true, reasonCode: 'repeated_order' });
    const varied = orders(4, 1).map((one, index) => ({ ...one, quantity: 1 + (index % 2) }));
    expect(repeatedOrders(varied, 4, options).triggered).toBe(false);
  });

  it('ordersPerIntent: more orders than intents can have caused', () => {
    const limit = { max: 2, allowance: 1, windowMs: 1_000 };
    expect(ordersPerIntent({ orders: 5, intents: 2 }, limit).triggered).toBe(false);
    expect(ordersPerIntent({ orders: 6, intents: 2 }, limit)).toMatchObject({ triggered: true, reasonCode: 'orders_exceed_intents' });
    expect(ordersPerIntent({ orders: Number.NaN, intents: 2 }, limit).triggered).toBe(true);
  });

  it('notional: of one order, and of all within the window', () => {
    expect(notional(orders(2, 1), 2, { perOrder: 1_000, perWindow: 2_000 }).triggered).toBe(false);
    expect(notional(orders(1, 1), 2, { perOrder: 999 })).toMatchObject({ triggered: true, reasonCode: 'order_notional' });
    expect(notional(orders(3, 1), 2, { perWindow: 2_000 })).toMatchObject({ triggered: true, reasonCode: 'window_notional' });
    expect(notional([{ ...order, quantity: 1e300, price: 1e300 }], 1, { perOrder: 1_000 }).triggered).toBe(true);
  });

  it('an order that reduces is not counted', () => {
    const reducing = orders(9, 1).map((one) => ({ ...one, intent: 'reduce' as const }));
    expect(orderRate(reducing, 9, options).triggered).toBe(false);
    expect(notional(reducing, 9, { perOrder: 1 }).triggered).toBe(false);
  });

  it('priceCollar: the distance from the reference', () => {
    expect(priceCollar({ price: 105, reference: 100 }, { maxDeviation: 0.05 }).triggered).toBe(false);
    expect(priceCollar({ price: 94, reference: 100 }, { maxDeviation: 0.05 })).toMatchObject({
      triggered: true,
      reasonCode: 'price_collar',
    });
    expect(priceCollar({ price: 94, reference: undefined }, { maxDeviation: 0.05 })).toMatchObject({
      triggered: true,
      reasonCode: 'collar_no_reference',
    });
  });
});

describe('quoteQuality', () => {
  const now = { nowMs: 1_000, receivedMs: 900 };

  it('trips on a quote that is wide, crossed, old or none', () => {
    expect(quoteQuality({ bid: 99, ask: 101 }, now, { maxSpread: 0.02 }).triggered).toBe(false);
    expect(quoteQuality({ bid: 98, ask: 101 }, now, { maxSpread: 0.02 })).toMatchObject({ triggered: true, reasonCode: 'spread_too_wide' });
    expect(quoteQuality({ bid: 102, ask: 101 }, now, { maxSpread: 0.02 })).toMatchObject({ triggered: true, reasonCode: 'quote_crossed' });
    expect(quoteQuality({ bid: 99, ask: 101 }, now, { maxAgeMs: 99 })).toMatchObject({ triggered: true, reasonCode: 'quote_stale' });
    expect(quoteQuality(undefined, now, { maxAgeMs: 99 })).toMatchObject({ triggered: true, reasonCode: 'no_quote' });
  });
});

describe('whatever the data', () => {
  // Typed as what it is not: this is what arrives from code without types.
  const checks: Readonly<Record<string, (data: never) => CheckResult>> = {
    missingMarketData: (data) => missingMarketData(data),
    staleMarketData: (data) => staleMarketData(data, { maxAgeMs: 1, expectedIntervalMs: 1 }),
    abnormalVolatility: (data) => abnormalVolatility(data, { threshold: 3, recentN: 2, baselineN: 2 }),
    consecutiveLosses: (data) => consecutiveLosses(data, { max: 2, inLast: { losses: 1, results: 2 }, lossSum: { limit: 1, windowMs: 1 } }),
    dailyLoss: (data) => dailyLoss(data, { limit: 1 }),
    drawdown: (data) => drawdown(data, { maxFraction: 0.5 }),
    orderRate: (data) => orderRate(data, 1, { max: 1, windowMs: 1 }),
    repeatedOrders: (data) => repeatedOrders(data, 1, { max: 1, windowMs: 1 }),
    ordersPerIntent: (data) => ordersPerIntent(data, { max: 1, windowMs: 1 }),
    notional: (data) => notional(data, 1, { perOrder: 1 }),
    priceCollar: (data) => priceCollar(data, { maxDeviation: 1 }),
    quoteQuality: (data) => quoteQuality(data, { nowMs: 1, receivedMs: 1 }, { maxSpread: 1, maxAgeMs: 1 }),
  };
  const anything = fc.oneof(fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true }), fc.array(fc.anything()));
  const hostile = new Proxy([1], {
    get() {
      throw new Error('hostile');
    },
  });

  it.each(Object.entries(checks))('S3: %s answers in the one shape and never throws', (_name, check) => {
    fc.assert(
      fc.property(anything, (data) => {
        const { triggered, reasonCode, message, details } = check(data as never);
        expect(typeof triggered).toBe('boolean');
        expect(REASON_CODES).toContain(reasonCode);
        expect(message).not.toBe('');
        expect(typeof details).toBe('object');
      }),
      { seed: fcSeed, numRuns: 200 },
    );
  });

  it.each(Object.entries(checks))('S3: %s trips where its data throws', (_name, check) => {
    expect(check(hostile as never)).toMatchObject({ triggered: true });
  });
});
