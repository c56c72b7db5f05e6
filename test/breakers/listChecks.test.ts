/** The checks over a list, in full: what each answers at its limit and beyond, and of data that it cannot judge. */
import { describe, expect, it } from 'vitest';
import { abnormalVolatility } from '../../src/breakers/abnormalVolatility.js';
import { consecutiveLosses } from '../../src/breakers/consecutiveLosses.js';
import { dailyLoss } from '../../src/breakers/dailyLoss.js';
import { drawdown } from '../../src/breakers/drawdown.js';
import { notional } from '../../src/breakers/notional.js';
import type { TimedOrder } from '../../src/breakers/order.js';
import { orderRate } from '../../src/breakers/orderRate.js';
import { ordersPerIntent } from '../../src/breakers/ordersPerIntent.js';
import { judgeCollar, priceCollar } from '../../src/breakers/priceCollar.js';
import { RepetitionBook, repeatedOrders } from '../../src/breakers/repeatedOrders.js';
import { OK, passes, trips } from '../../src/breakers/result.js';
import { judgeGap, staleMarketData } from '../../src/breakers/staleMarketData.js';
import { WarningBook, warningLevel } from '../../src/breakers/warnings.js';

const order: TimedOrder = { symbol: 'BTC', side: 'buy', quantity: 2, price: 10, atMs: 100 };
const NO_LIST = trips('quantity_invalid', 'there is no list of orders');
const none = undefined as never;

describe('checks on orders', () => {
  it('orderRate counts those of the window', () => {
    const options = { max: 2, windowMs: 50 };
    const details = { windowMs: 50, limit: 2 };
    expect(orderRate([order, order], 100, options)).toEqual(
      passes('ok', 'orders within 50 ms: 2 of 2', { ...details, value: 2, usage: 1 }),
    );
    expect(orderRate([order, order, order], 100, options)).toEqual(
      trips('order_rate', 'orders within 50 ms: 3 is more than 2', { ...details, value: 3, usage: 1.5 }),
    );
    expect(orderRate(none, 100, options)).toEqual(NO_LIST);
    expect(() => orderRate([], 100, { max: -1, windowMs: 50 })).toThrow('orderRate.max = -1');
  });

  it('repeatedOrders counts those that are like the newest', () => {
    const options = { max: 1, windowMs: 50 };
    const other = { ...order, quantity: 3 };
    const details = { windowMs: 50, limit: 1 };
    const words = 'orders that are alike within 50 ms:';
    expect(repeatedOrders([], 100, options)).toBe(OK);
    expect(repeatedOrders([order, order, other], 100, options)).toEqual(
      passes('ok', `${words} 1 of 1`, { ...details, value: 1, usage: 1 }),
    );
    expect(repeatedOrders([order, other, order], 100, options)).toEqual(
      trips('repeated_order', `${words} 2 is more than 1`, { ...details, value: 2, usage: 2 }),
    );
    expect(repeatedOrders(none, 100, options)).toEqual(NO_LIST);
    expect(() => repeatedOrders([], 100, { max: 0.5, windowMs: 50 })).toThrow('repeatedOrders.max = 0.5');
  });

  it('a book of repetitions counts each likeness apart, forgets what is older than the window, and all when it is cleared', () => {
    const book = new RepetitionBook(10);
    expect([book.add('a', 0), book.add('b', 5), book.add('a', 9), book.add('a', 10), book.add('b', 14)]).toEqual([1, 1, 2, 2, 2]);
    book.clear();
    expect([book.add('a', 15), book.add('b', 15)]).toEqual([1, 1]);
  });

  it('notional judges the newest order, and all of the window together', () => {
    const dear = { ...order, price: 30 };
    const both = { perOrder: 50, perWindow: 100, windowMs: 50 };
    const ofOrder = 'the notional of the order:';
    const ofWindow = 'the notional of 50 ms:';
    expect(notional([order], 100, { perOrder: 50 })).toEqual(passes('ok', `${ofOrder} 20 of 50`, { value: 20, limit: 50, usage: 0.4 }));
    expect(notional([order, dear], 100, both)).toEqual(
      trips('order_notional', `${ofOrder} 60 is more than 50`, { value: 60, limit: 50, usage: 1.2 }),
    );
    const window = { windowMs: 50, value: 120, limit: 100, usage: 1.2 };
    const six = Array.from({ length: 6 }, () => order);
    expect(notional(six, 100, both)).toEqual(trips('window_notional', `${ofWindow} 120 is more than 100`, window));
    expect(notional([order, order, order], 100, both).message).toBe(`${ofWindow} 60 of 100`);
    expect(notional([order, dear], 100, { perWindow: 100, windowMs: 50 })).toMatchObject({ triggered: false, details: { value: 80 } });
    expect(notional([{ ...order, atMs: 40 }, order], 100, both).message).toBe(`${ofOrder} 20 of 50`);
    expect(notional([], 100, both)).toBe(OK);
  });

  it('notional of an order without a price cannot be told', () => {
    const { price: _, ...market } = order;
    const both = { perOrder: 50, perWindow: 100, windowMs: 50 };
    expect(notional([market, order], 100, both)).toEqual(trips('price_missing', 'the price of the order is missing'));
    expect(notional([order, { ...order, price: -1 }], 100, both)).toEqual(
      trips('price_negative', 'the price of the order is negative: -1'),
    );
    expect(notional(none, 100, both)).toEqual(NO_LIST);
    expect(() => notional([], 100, { perOrder: 0 })).toThrow('notional.perOrder = 0');
  });

  it('priceCollar measures the distance from the reference', () => {
    const options = { maxDeviation: 0.1 };
    const words = 'the distance from the reference:';
    expect(priceCollar({ price: 90, reference: 100 }, options)).toEqual(
      passes('ok', `${words} 0.1 of 0.1`, { price: 90, reference: 100, value: 0.1, limit: 0.1, usage: 1 }),
    );
    expect(priceCollar({ price: 120, reference: 100 }, options)).toEqual(
      trips('price_collar', `${words} 0.2 is more than 0.1`, { price: 120, reference: 100, value: 0.2, limit: 0.1, usage: 2 }),
    );
    expect(priceCollar({ price: 1, reference: undefined }, options)).toEqual(
      trips('collar_no_reference', 'there is no market price to hold the order against'),
    );
    expect(judgeCollar(undefined, 100, options)).toEqual(trips('price_missing', 'the price of the order is missing'));
    expect(judgeCollar(100, 0, options)).toEqual(trips('price_zero', 'the reference is zero'));
    expect(() => priceCollar({ price: 1, reference: 1 }, { maxDeviation: -1 })).toThrow('priceCollar.maxDeviation = -1');
  });

  it('ordersPerIntent allows so many for each intent, and some besides', () => {
    const options = { max: 2, windowMs: 50, allowance: 1 };
    const words = 'orders within 50 ms:';
    const details = { intents: 3, windowMs: 50, limit: 7 };
    expect(ordersPerIntent({ orders: 7, intents: 3 }, options)).toEqual(
      passes('ok', `${words} 7 of 7`, { ...details, value: 7, usage: 1 }),
    );
    expect(ordersPerIntent({ orders: 8, intents: 3 }, options)).toEqual(
      trips('orders_exceed_intents', `${words} 8 is more than 7`, { ...details, value: 8, usage: 8 / 7 }),
    );
    const invalid = trips('count_invalid', 'orders and intents must be counts');
    for (const wrong of [-1, 0.5, Number.NaN, Infinity, '1', undefined]) {
      expect(ordersPerIntent({ orders: wrong as never, intents: 3 }, options)).toEqual(invalid);
      expect(ordersPerIntent({ orders: 1, intents: wrong as never }, options)).toEqual(invalid);
    }
    expect(() => ordersPerIntent({ orders: 0, intents: 0 }, { max: 0, windowMs: 5 })).toThrow('ordersPerIntent.max = 0');
  });
});

describe('checks on market data and equity', () => {
  it('staleMarketData tells the age of the newest bar, by its receipt', () => {
    const words = 'the age in ms of the newest bar';
    const options = { maxAgeMs: 10 };
    expect(staleMarketData({ nowMs: 20, receivedMs: 10 }, options)).toEqual(
      passes('ok', `${words} 10 of 10`, { value: 10, limit: 10, usage: 1 }),
    );
    expect(staleMarketData({ nowMs: 21, receivedMs: 10 }, options)).toEqual(
      trips('market_data_stale', `${words} 11 is more than 10`, { value: 11, limit: 10, usage: 1.1 }),
    );
    const untold = trips('time_invalid', 'the age of the market data cannot be told');
    for (const receivedMs of [21, Number.NaN]) expect(staleMarketData({ nowMs: 20, receivedMs }, options)).toEqual(untold);
    expect(staleMarketData({ nowMs: 20, receivedMs: 20 }, options).triggered).toBe(false);
    expect(staleMarketData({ nowMs: 20 }, options)).toEqual(trips('no_bars', 'no bar was ever received'));
    expect(() => staleMarketData({ nowMs: 20 }, { maxAgeMs: -1 })).toThrow('staleMarketData.maxAgeMs = -1');
  });

  it('staleMarketData looks for gaps between the bars where it is told how far apart they are', () => {
    const options = { maxAgeMs: 10, expectedIntervalMs: 100, maxMissingBars: 1 };
    const judged = (...times: readonly unknown[]) =>
      staleMarketData({ nowMs: 0, receivedMs: 0, bars: times.map((openMs) => ({ openMs })) as never }, options);
    const fine = passes('ok', 'the age in ms of the newest bar 0 of 10', { value: 0, limit: 10, usage: 0 });
    expect(judged()).toEqual(fine);
    expect(judged(0, 100, 300)).toEqual(fine);
    expect(judged(0, 301)).toEqual(trips('market_data_gap', '3 bars are missing, more than 1', { missing: 3, gapMs: 301 }));
    const unordered = (openMs: number, previousMs: number) =>
      trips('bar_out_of_order', 'bars are not in the order of their times', { openMs, previousMs });
    expect(judged(100, 100)).toEqual(unordered(100, 100));
    expect(judged(100, 50)).toEqual(unordered(50, 100));
    const invalid = trips('time_invalid', 'the time of a bar is not a number of milliseconds');
    for (const times of [
      [0, undefined],
      [undefined, 100],
      ['0', 100],
      [0, '100'],
    ])
      expect(judged(...times)).toEqual(invalid);
    expect(staleMarketData({ nowMs: 0, receivedMs: 0, bars: [{ openMs: 0 }, undefined as never] }, options)).toEqual(invalid);
    expect(staleMarketData({ nowMs: 0, receivedMs: 0, bars: [undefined as never, { openMs: 0 }] }, options)).toEqual(invalid);
    expect(judgeGap(Number.NaN, 5, { maxAgeMs: 10, expectedIntervalMs: 0, maxMissingBars: 1 })).toBe(OK);
  });

  it('drawdown compares the newest equity with the highest', () => {
    const options = { maxFraction: 0.2 };
    const words = 'the lost share of the peak:';
    expect(drawdown([90, 100, 90], options)).toEqual(
      passes('ok', `${words} 0.1 of 0.2`, { peak: 100, equity: 90, value: 0.1, limit: 0.2, usage: 0.5 }),
    );
    expect(drawdown([100, 80], options)).toEqual(
      trips('drawdown', `${words} 0.2 reaches the limit of 0.2`, { peak: 100, equity: 80, value: 0.2, limit: 0.2, usage: 1 }),
    );
    expect(drawdown([], options)).toEqual(passes('no_equity', 'no equity is known yet'));
    expect(drawdown(none, options)).toEqual(trips('equity_invalid', 'there is no list of equities'));
    expect(drawdown([100, Number.NaN], options)).toEqual(trips('equity_invalid', 'the equity is not a finite number above zero: NaN'));
    expect(() => drawdown([], { maxFraction: 2 })).toThrow('drawdown.maxFraction = 2');
  });

  it('a check that is told what cannot hold names itself', () => {
    expect(() => consecutiveLosses([], { max: 0.5 })).toThrow('consecutiveLosses.max = 0.5');
    expect(() => dailyLoss([], { limit: -1 })).toThrow('dailyLoss.limit = -1');
    expect(() => abnormalVolatility([], { threshold: -1 })).toThrow('abnormalVolatility.threshold = -1');
    expect(abnormalVolatility(none, { threshold: 3 })).toEqual(trips('price_missing', 'there is no list of closes'));
    expect(abnormalVolatility([0], { threshold: 3 })).toEqual(trips('price_zero', 'close 0 is zero', { index: 0 }));
  });
});

describe('warnings', () => {
  const used = (usage: number) => passes('ok', '', { usage });

  it('come at 50, 75 and 90 % of a limit', () => {
    expect([0, 0.49, 0.5, 0.74, 0.75, 0.89, 0.9, 5].map(warningLevel)).toEqual([undefined, undefined, 0.5, 0.5, 0.75, 0.75, 0.9, 0.9]);
  });

  it('are told once on the way up, each name apart, and again only after the figure was low', () => {
    const book = new WarningBook<'a' | 'b'>();
    const told = (usages: readonly number[]) => usages.map((usage) => book.take('a', used(usage)));
    expect(told([0.4, 0.5, 0.6, 0.8, 0.76, 0.55, 0.75, 0.95, 0.9])).toEqual([
      undefined,
      0.5,
      undefined,
      0.75,
      undefined,
      undefined,
      undefined,
      0.9,
      undefined,
    ]);
    expect(book.take('b', used(0.8))).toBe(0.75);
    expect(told([0.49, 0.5])).toEqual([undefined, 0.5]);
  });

  it('are not told of what triggers, or of what has no limit', () => {
    const book = new WarningBook<'a'>();
    expect(book.take('a', trips('drawdown', '', { usage: 0.9 }))).toBeUndefined();
    expect(book.take('a', passes('ok', '', { usage: '0.9' }))).toBeUndefined();
    expect(book.take('a', OK)).toBeUndefined();
    expect(book.take('a', used(0.9))).toBe(0.9);
  });
});
