/** What is given to the breakers, read: what can be used, and of what cannot the reason, in words that an operator understands. */
import { describe, expect, it } from 'vitest';
import { firstPriceFault, judgeBar } from '../../src/breakers/bar.js';
import { equityFault } from '../../src/breakers/drawdown.js';
import { exactOf } from '../../src/breakers/exactDecimal.js';
import { fillsOf, isLoss, isZero, readResult } from '../../src/breakers/lossResult.js';
import { missingMarketData } from '../../src/breakers/missingMarketData.js';
import { countedOrders, likenessOf, readOrder, type TimedOrder } from '../../src/breakers/order.js';
import { judgeQuoteAge, judgeSpread, middleOf, quoteQuality, readQuote } from '../../src/breakers/quoteQuality.js';
import { OK, passes, trips } from '../../src/breakers/result.js';

const NOTHINGS = [undefined, null, 'text', 7, true] as const;

describe('an order', () => {
  const order = { symbol: 'BTC', side: 'buy', quantity: 2 } as const;

  it('is read with its price, and as one that adds risk unless it says otherwise', () => {
    expect(readOrder(order)).toEqual({ ...order, intent: 'increase' });
    expect(readOrder({ ...order, side: 'sell', price: 3, intent: 'cancel' })).toEqual({
      ...order,
      side: 'sell',
      price: 3,
      intent: 'cancel',
    });
    expect(readOrder({ ...order, price: null, intent: 'reduce' })).toEqual({ ...order, intent: 'reduce' });
    expect(readOrder({ ...order, price: '3', intent: 'hedge' })).toEqual({ ...order, price: Number.NaN, intent: 'increase' });
  });

  it('that cannot be one is told as such', () => {
    const invalid = (message: string) => trips('quantity_invalid', message);
    for (const given of NOTHINGS) expect(readOrder(given)).toEqual(invalid('there is no order where one was recorded'));
    for (const symbol of ['', undefined, 5]) expect(readOrder({ ...order, symbol })).toEqual(invalid('the order names no symbol'));
    expect(readOrder({ ...order, side: 'long' })).toEqual(invalid('the side of the order is neither buy nor sell: long'));
    for (const [quantity, words] of [
      [0, '0'],
      [-1, '-1'],
      [Number.NaN, 'NaN'],
      ['2', '2'],
      [undefined, 'undefined'],
    ] as const)
      expect(readOrder({ ...order, quantity })).toEqual(invalid(`the quantity of the order is not a finite number above zero: ${words}`));
  });

  it('is like another in symbol, side, quantity and price', () => {
    const likeness = likenessOf({ ...order, price: 3 });
    expect(likenessOf({ ...order, price: 3, intent: 'increase' })).toBe(likeness);
    const others = [order, { ...order, price: 4 }, { ...order, price: 3, symbol: 'ETH' }, { ...order, price: 3, side: 'sell' as const }];
    for (const other of [...others, { ...order, price: 3, quantity: 1 }]) expect(likenessOf(other)).not.toBe(likeness);
    expect(likenessOf(order)).toBe('["BTC","buy",2,null]');
  });

  it('counts while it is younger than the window, and adds risk', () => {
    const at = (atMs: number, rest: object = {}): TimedOrder => ({ ...order, atMs, ...rest });
    const orders = [at(10), at(11, { intent: 'increase' }), at(12, { intent: 'reduce' }), at(13, { intent: 'cancel' }), at(20)];
    expect(countedOrders(orders, 20, 10)).toEqual([11, 20].map((atMs) => ({ ...order, atMs, intent: 'increase' })));
  });

  it('of a list that cannot be used is told with its place', () => {
    const listed = (orders: unknown) => countedOrders(orders as readonly TimedOrder[], 20, 10);
    for (const none of [...NOTHINGS, {}]) expect(listed(none)).toEqual(trips('quantity_invalid', 'there is no list of orders'));
    expect(countedOrders([], Number.NaN, 10)).toEqual(trips('time_invalid', 'the time is not a number of milliseconds'));
    const fine = { ...order, atMs: 15 };
    const noSymbol = trips('quantity_invalid', 'the order names no symbol', { index: 1 });
    expect(listed([fine, { ...fine, symbol: '' }])).toEqual(noSymbol);
    expect(listed([fine, null])).toEqual(trips('quantity_invalid', 'there is no order where one was recorded', { index: 1 }));
    const noTime = trips('time_invalid', 'the time of an order is not a number of milliseconds', { index: 1 });
    for (const atMs of [undefined, Number.NaN, '15']) expect(listed([fine, { ...fine, atMs }])).toEqual(noTime);
  });
});

describe('a quote', () => {
  it('is a bid and an ask that is not below it', () => {
    expect(readQuote({ bid: 1, ask: 1, more: 2 })).toEqual({ bid: 1, ask: 1 });
    expect(readQuote({ bid: 2, ask: 1 })).toEqual(trips('quote_crossed', 'the ask 1 is below the bid 2'));
    for (const given of NOTHINGS) expect(readQuote(given)).toEqual(trips('no_quote', 'there is no quote'));
    expect(readQuote({ ask: 1 })).toEqual(trips('price_missing', 'the bid is missing'));
    expect(readQuote({ bid: 1 })).toEqual(trips('price_missing', 'the ask is missing'));
    expect(readQuote({ bid: '1', ask: 2 })).toEqual(trips('price_not_a_number', 'the bid is not a number: 1'));
    expect(readQuote({ bid: 1, ask: Infinity })).toEqual(trips('price_infinite', 'the ask is infinite'));
  });

  it('has a middle, and a spread that is a share of it', () => {
    expect(middleOf({ bid: 1e308, ask: 1.5e308 })).toBe(1.25e308);
    const spread = 'the spread as a share of the middle:';
    expect(judgeSpread({ bid: 90, ask: 110 }, { maxSpread: 0.1, maxAgeMs: undefined })).toEqual(
      trips('spread_too_wide', `${spread} 0.2 is more than 0.1`, { value: 0.2, limit: 0.1, usage: 2 }),
    );
    expect(judgeSpread({ bid: 90, ask: 110 }, { maxSpread: undefined, maxAgeMs: 1 })).toEqual(
      passes('ok', `${spread} 0.2 of 2`, { value: 0.2, limit: 2, usage: 0.1 }),
    );
  });

  it('is too old by the time of its receipt, and of no age where that cannot be told', () => {
    const age = 'the age in ms of the quote:';
    expect(judgeQuoteAge(20, 10, 10)).toEqual(passes('ok', `${age} 10 of 10`, { value: 10, limit: 10, usage: 1 }));
    expect(judgeQuoteAge(21, 10, 10)).toEqual(trips('quote_stale', `${age} 11 is more than 10`, { value: 11, limit: 10, usage: 1.1 }));
    expect(judgeQuoteAge(10, 10, 10).triggered).toBe(false);
    for (const nowMs of [9, Number.NaN])
      expect(judgeQuoteAge(nowMs, 10, 10)).toEqual(trips('time_invalid', 'the age of the quote cannot be told'));
  });

  it('that is fine is told by what is closest to its limit', () => {
    const judged = (nowMs: number, ask: number) =>
      quoteQuality({ bid: 100, ask }, { nowMs, receivedMs: 0 }, { maxSpread: 0.1, maxAgeMs: 100 }).message;
    expect(judged(90, 101)).toMatch(/^the age/);
    expect(judged(10, 109)).toMatch(/^the spread/);
    expect(() => quoteQuality(undefined, { nowMs: 0, receivedMs: 0 }, { maxAgeMs: -1 })).toThrow('quoteQuality.maxAgeMs = -1');
  });
});

describe('a result', () => {
  const given = { pnl: '-1.50', closedAtMs: 5, ids: ['a', 'b'] };

  it('is read exactly, with the names of its fills', () => {
    expect(readResult({ ...given, account: 'x', symbol: 'BTC' }, 5)).toEqual({
      fills: ['["x","BTC","a"]', '["x","BTC","b"]'],
      pnl: exactOf('-1.50'),
      closedAtMs: 5,
      sequence: 0,
    });
    expect(readResult({ ...given, sequence: 3 })).toMatchObject({ sequence: 3 });
    for (const sequence of ['1', null, Number.NaN])
      expect(readResult({ ...given, sequence })).toEqual(trips('time_invalid', `the sequence of a result is not a number: ${sequence}`));
    for (const none of [undefined, null, ''])
      expect(readResult({ ...given, account: none, symbol: none })).toMatchObject({ fills: ['[null,null,"a"]', '[null,null,"b"]'] });
    expect(fillsOf({ account: 'x', ids: ['a'] })).toEqual(['["x",null,"a"]']);
    expect(fillsOf({ symbol: 'y', ids: ['a'] })).toEqual([`[null,"y","a"]`]);
  });

  it('that cannot be one is told as such', () => {
    for (const none of NOTHINGS) expect(readResult(none)).toEqual(trips('pnl_invalid', 'there is no result where one was recorded'));
    for (const [pnl, words] of [
      [-1.5, '-1.5'],
      ['1e3', '1e3'],
      [undefined, 'undefined'],
      ['', ''],
    ] as const)
      expect(readResult({ ...given, pnl })).toEqual(trips('pnl_invalid', `the P&L of a result is not decimal text: ${words}`));
    expect(readResult({ ...given, closedAtMs: '2024-01-09' })).toEqual(
      trips('time_invalid', 'the time of a result is not a number of milliseconds: 2024-01-09'),
    );
    const nameless = trips('pnl_invalid', 'a result names no fills by their ids: it could not be told from its repetition');
    for (const ids of [undefined, [], 'a', ['a', ''], ['', 'a'], ['a', 1]]) expect(readResult({ ...given, ids })).toEqual(nameless);
  });

  it('is not of the future', () => {
    expect(readResult(given, 5)).toMatchObject({ closedAtMs: 5 });
    const ahead = trips('result_from_future', 'a result is dated 2 ms ahead', { closedAtMs: 5, aheadMs: 2 });
    expect(readResult(given, 3)).toEqual(ahead);
    expect(readResult(given, Number.NaN)).toMatchObject({ triggered: true, reasonCode: 'result_from_future' });
  });

  it('is a loss below zero, and neither that nor a win at zero', () => {
    const read = (pnl: string) => {
      const result = readResult({ ...given, pnl });
      return 'triggered' in result ? [] : [isLoss(result), isZero(result)];
    };
    expect([read('-0.01'), read('0.00'), read('0.01')]).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ]);
  });
});

describe('a bar', () => {
  const bar = { openMs: 100, close: 5 };
  const context = { previous: undefined, latestWallMs: 100 };
  const faulty = (...fault: Parameters<typeof trips>) => ({ kind: 'faulty', result: trips(...fault) });

  it('is usable with a close and a time of the past', () => {
    expect(judgeBar({ ...bar, open: 4, high: 6, low: 3, volume: -1 }, context)).toEqual({ kind: 'usable', bar });
    expect(judgeBar(bar, { ...context, previous: { openMs: 99, close: 5 } })).toEqual({ kind: 'usable', bar });
  });

  it('that cannot be one is told as such', () => {
    for (const none of NOTHINGS) expect(judgeBar(none, context)).toEqual(faulty('bar_missing', 'there is no bar where one was recorded'));
    expect(judgeBar({ openMs: 100 }, context)).toEqual(faulty('price_missing', 'the close is missing'));
    expect(judgeBar({ ...bar, close: 0 }, context)).toEqual(faulty('price_zero', 'the close is zero'));
    for (const name of ['open', 'high', 'low'])
      expect(judgeBar({ ...bar, [name]: -1 }, context)).toEqual(faulty('price_negative', `the ${name} is negative: -1`));
    for (const openMs of [undefined, Number.NaN, '100'])
      expect(judgeBar({ ...bar, openMs }, context)).toEqual(faulty('time_invalid', 'the time of the bar is not a number of milliseconds'));
  });

  it('is neither of the future nor before the one that came before it, and is told once', () => {
    const ahead = faulty('bar_from_future', 'the bar is dated 30 ms ahead', { openMs: 100, aheadMs: 30 });
    expect(judgeBar(bar, { ...context, latestWallMs: 70 })).toEqual(ahead);
    expect(judgeBar(bar, { ...context, latestWallMs: Number.NaN })).toMatchObject({ result: { reasonCode: 'bar_from_future' } });
    const late = faulty('bar_out_of_order', 'the bar is dated 20 ms before the one that came before it', { openMs: 100, previousMs: 120 });
    expect(judgeBar(bar, { ...context, previous: { openMs: 120, close: 5 } })).toEqual(late);
    expect(judgeBar(bar, { ...context, previous: bar })).toEqual({ kind: 'repeated' });
    expect(judgeBar(bar, { ...context, previous: { ...bar, close: 6 } })).toMatchObject({ result: { reasonCode: 'bar_out_of_order' } });
  });

  it('without a price in a list is told with its place', () => {
    expect(firstPriceFault([1, 2], 'close')).toBe(OK);
    expect(firstPriceFault([1, 0, -1], 'close')).toEqual(trips('price_zero', 'close 1 is zero', { index: 1 }));
    for (const none of NOTHINGS)
      expect(missingMarketData([{ close: 1 }, none as never])).toEqual(trips('bar_missing', 'bar 1 is missing', { index: 1 }));
    expect(missingMarketData([{ close: 1 }, { close: 0 }])).toEqual(trips('price_zero', 'the close of bar 1 is zero', { index: 1 }));
    expect(missingMarketData([{ close: 1 }, {} as never])).toEqual(trips('price_missing', 'the close of bar 1 is missing', { index: 1 }));
    expect(missingMarketData([{ close: 1 }])).toBe(OK);
    expect(() => missingMarketData([], { onInsufficientData: 'no' as never })).toThrow('missingMarketData.onInsufficientData');
  });
});

it('an equity is a finite number above zero', () => {
  expect(equityFault(1)).toBeUndefined();
  expect(equityFault(0)).toEqual(trips('equity_invalid', 'the equity is not a finite number above zero: 0'));
  expect(equityFault('9')).toEqual(trips('equity_invalid', 'the equity is not a finite number above zero: 9'));
});
