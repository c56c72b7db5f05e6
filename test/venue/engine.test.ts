/** Single features of the paper venue's engine. */
import { describe, expect, it } from 'vitest';
import type { Bar } from '../../src/venue/bars.js';
import { EngineDriver } from './engineDriver.js';

function barsOf(...closes: readonly (readonly [low: number, close: number, high: number])[]): readonly Bar[] {
  return closes.map(([low, close, high], index) => ({ openMs: index, open: close, high, low, close, volume: 1 }));
}

function reasonOf(answer: object): unknown {
  return 'reason' in answer ? answer.reason : undefined;
}

function reportOf(answer: object): unknown {
  return 'report' in answer ? answer.report : undefined;
}

describe('prices', () => {
  it('a market order fills at the close of the present bar', () => {
    const driver = new EngineDriver({}, barsOf([9, 10, 11], [19, 20, 21]));
    driver.submit();
    driver.step();
    driver.submit();
    expect(driver.events('fill').map(({ price }) => price)).toEqual([10, 20]);
  });

  it('a limit order rests until its price is crossed, then fills there', () => {
    const driver = new EngineDriver({}, barsOf([99, 100, 101], [96, 98, 99], [94, 97, 98]));
    driver.submit({ type: 'limit', limitPrice: 95 });
    driver.step();
    expect(driver.openOrders()).toEqual(['o1']);
    driver.step();
    expect(driver.openOrders()).toEqual([]);
    expect(driver.events('fill')).toMatchObject([{ price: 95, positionAfter: 1 }]);
  });

  it('a limit order that is crossed already fills at the mark', () => {
    const driver = new EngineDriver({}, barsOf([99, 100, 101]));
    driver.submit({ type: 'limit', limitPrice: 120 });
    expect(driver.events('fill')).toMatchObject([{ price: 100 }]);
  });

  it('a stop is triggered by the low of a bar, and a gap fills at its open', () => {
    const driver = new EngineDriver({}, barsOf([99, 100, 101], [89, 99, 100], [70, 71, 72]));
    driver.seed('AAPL', 2);
    driver.submit({ type: 'stop', side: 'sell', stopPrice: 90, reduceOnly: true });
    driver.submit({ type: 'stop', side: 'sell', stopPrice: 80, reduceOnly: true });
    driver.step();
    expect(driver.events('fill')).toMatchObject([{ price: 90 }]);
    driver.step();
    expect(driver.events('fill')).toMatchObject([{ price: 90 }, { price: 71 }]);
    expect(driver.events('triggered')).toHaveLength(2);
  });
});

describe('orders', () => {
  it('latency: takes effect and answers only after it', () => {
    const driver = new EngineDriver({ latencyMs: 50 });
    const id = driver.submit();
    driver.wait(49);
    expect(driver.answers.has(id)).toBe(false);
    expect(driver.position()).toBe(0);
    driver.wait(1);
    expect(driver.answer(id)).toMatchObject({ kind: 'report', report: { status: 'filled', filledQuantity: 1 } });
  });

  it('delayed after acceptance: accepted at once, executed later, cancelable between', () => {
    const driver = new EngineDriver({ executionDelayMs: 100 });
    expect(reportOf(driver.submitted())).toMatchObject({ status: 'working', filledQuantity: 0 });
    expect(reportOf(driver.submitted({ symbol: 'X' }))).toMatchObject({ status: 'working' });
    expect(driver.cancelled('o2', 'X')).toMatchObject({ result: 'canceled' });
    driver.wait(100);
    expect(driver.position()).toBe(1);
    expect(driver.position('X')).toBe(0);
  });

  it('trap 35: a cancel that comes after the fill answers already_terminal', () => {
    const driver = new EngineDriver({ latencyMs: 10 });
    driver.submit();
    const cancel = driver.send({ kind: 'cancel', cancel: { account: 'a', symbol: 'AAPL', orderId: 'o1' } });
    driver.wait(10);
    expect(driver.answer(cancel)).toMatchObject({ result: 'already_terminal' });
    const missing = driver.send({ kind: 'cancel', cancel: { account: 'a', symbol: 'AAPL', orderId: 'o9' } });
    driver.wait(10);
    expect(driver.answer(missing)).toMatchObject({ result: 'not_found' });
  });

  it('trap 38: partial fills come in slices over time; the rest expires where the venue has no more', () => {
    const driver = new EngineDriver({ partialFills: { slices: 4, intervalMs: 10 } });
    expect(reportOf(driver.submitted({ quantity: 1 }))).toMatchObject({ status: 'working', filledQuantity: 0.25 });
    driver.wait(10);
    expect(driver.position()).toBe(0.5);
    driver.wait(20);
    expect(driver.position()).toBe(1);
    driver.patch({ partialFills: { slices: 4, endAfter: 3 } });
    driver.submit({ quantity: 1, clientOrderId: 'p' });
    expect(driver.query('p')).toMatchObject({ report: { status: 'expired', filledQuantity: 0.75 } });
  });

  it('trap 7: a market order may expire with nothing filled', () => {
    const driver = new EngineDriver({ expireMarketOrders: { next: 1, sources: ['exit-worker'] } });
    expect(reportOf(driver.submitted())).toMatchObject({ status: 'filled' });
    expect(reportOf(driver.submitted({}, { source: 'exit-worker' }))).toMatchObject({ status: 'expired', filledQuantity: 0 });
    expect(reportOf(driver.submitted({}, { source: 'exit-worker' }))).toMatchObject({ status: 'filled' });
  });

  it('rejects the next n, every nth, or a symbol', () => {
    const driver = new EngineDriver({ rejects: { next: 2 } });
    const outcomes = () => Array.from({ length: 4 }, () => driver.submitted().kind === 'rejected');
    expect(outcomes()).toEqual([true, true, false, false]);
    driver.patch({ rejects: { everyNth: 2 } });
    expect(outcomes()).toEqual([false, true, false, true]);
    driver.patch({ rejects: { next: 'all', symbols: ['X'] } });
    expect(outcomes()).toEqual([false, false, false, false]);
    expect(driver.submitted({ symbol: 'X' }).kind).toBe('rejected');
  });

  it('rejects what is smaller than the minimum of its symbol', () => {
    const driver = new EngineDriver({ defaultMinQuantity: 1, minQuantities: { X: 0.1 } });
    expect(reasonOf(driver.submitted({ quantity: 0.5 }))).toBe('too_small');
    expect(driver.submitted({ quantity: 0.5, symbol: 'X' }).kind).toBe('report');
    expect(reasonOf(driver.submitted({ quantity: 1e-9, symbol: 'X' }))).toBe('too_small');
  });

  it('rejects while the market is closed, or queues until it opens', () => {
    const driver = new EngineDriver({ closedMarket: { symbols: ['AAPL'] } });
    expect(reasonOf(driver.submitted())).toBe('market_closed');
    expect(driver.submitted({ symbol: 'X' }).kind).toBe('report');
    driver.patch({ closedMarket: { symbols: 'all', orders: 'queue' } });
    expect(reportOf(driver.submitted())).toMatchObject({ status: 'working' });
    expect(driver.position()).toBe(0);
    driver.patch({ closedMarket: { symbols: [] } });
    expect(driver.position()).toBe(1);
  });

  it('trap 34: refuses the reduce-only flag where it does not exist', () => {
    const driver = new EngineDriver({ reduceOnly: 'rejected' });
    driver.seed('AAPL', 1);
    expect(reasonOf(driver.submitted({ side: 'sell', reduceOnly: true }))).toBe('reduce_only');
    expect(driver.submitted({ side: 'sell' }).kind).toBe('report');
  });

  it('hedge mode wants a position side and no reduce-only flag, and has nothing to close below zero', () => {
    const driver = new EngineDriver({ positionMode: 'hedge' });
    expect(reasonOf(driver.submitted())).toBe('other');
    expect(reasonOf(driver.submitted({ positionSide: 'long', reduceOnly: true }))).toBe('reduce_only');
    expect(reasonOf(driver.submitted({ positionSide: 'long', side: 'sell' }))).toBe('reduce_only');
    driver.submit({ positionSide: 'long', side: 'buy' });
    driver.submit({ positionSide: 'short', side: 'sell', quantity: 3 });
    expect([driver.position('AAPL', 'long'), driver.position('AAPL', 'short')]).toEqual([1, -3]);
    driver.submit({ positionSide: 'long', side: 'sell', quantity: 2 });
    expect(driver.position('AAPL', 'long')).toBe(0);
    expect(() => driver.patch({ positionMode: 'one_way' })).toThrow(
      'positionMode = "one_way": must stay hedge while account a is not flat',
    );
  });

  it('turns an unknown account away: it is not flat, it is not there', () => {
    const driver = new EngineDriver();
    expect(driver.answer(driver.send({ kind: 'positions', account: 'typo' })).kind).toBe('turned_away');
  });

  it('trap 21: turns a sender for another environment away, but tells it where it is', () => {
    const driver = new EngineDriver();
    const sender = { source: 'exit-worker', environment: 'production' };
    expect(driver.submitted({}, sender).kind).toBe('turned_away');
    expect(driver.answer(driver.send({ kind: 'positions', account: 'a' }, sender)).kind).toBe('turned_away');
    expect(driver.answer(driver.send({ kind: 'account', account: 'a' }, sender))).toMatchObject({ account: { environment: 'paper' } });
    expect(driver.events('rejected')).toHaveLength(1);
  });
});

describe('order expiry', () => {
  it('ends a resting order when its time is over', () => {
    const driver = new EngineDriver({ orderExpiryMs: 500 });
    driver.submit({ type: 'limit', limitPrice: 1, clientOrderId: 'r' });
    driver.wait(499);
    expect(driver.openOrders()).toEqual(['o1']);
    driver.wait(1);
    expect(driver.openOrders()).toEqual([]);
    expect(driver.query('r')).toMatchObject({ report: { status: 'expired', filledQuantity: 0 } });
  });

  it('trap 40: counts from when the order was sent, so a frozen sender or venue cannot make it fill late', () => {
    const driver = new EngineDriver({ orderExpiryMs: 500 });
    driver.submit({}, { source: 'test', sentMs: driver.nowMs - 500 });
    driver.patch({ frozen: true });
    driver.submit();
    driver.wait(9_900);
    driver.patch({ frozen: false });
    expect(driver.events('fill')).toEqual([]);
    expect(driver.events('expired')).toHaveLength(2);
  });

  it('trap 40: ends the rest of an order that was filling when the venue stalled, delayed, resting or sliced', () => {
    const driver = new EngineDriver({ orderExpiryMs: 500, partialFills: { slices: 2, intervalMs: 400 } }, barsOf([9, 10, 11], [1, 10, 11]));
    driver.submit({ clientOrderId: 'sliced' });
    driver.submit({ clientOrderId: 'resting', type: 'limit', limitPrice: 5 });
    driver.patch({ executionDelayMs: 400 });
    driver.submit({ clientOrderId: 'delayed' });
    driver.nowMs += 600;
    driver.step();
    const end = (id: string) => reportOf(driver.query(id));
    expect(end('sliced')).toMatchObject({ status: 'expired', filledQuantity: 0.5 });
    expect(end('resting')).toMatchObject({ status: 'expired', filledQuantity: 0 });
    expect(end('delayed')).toMatchObject({ status: 'expired', filledQuantity: 0 });
  });

  it('trap 40: without expiry an order of a frozen venue fills at the thaw', () => {
    const driver = new EngineDriver();
    driver.patch({ frozen: true });
    const id = driver.submit();
    driver.wait(9_900);
    expect(driver.answers.has(id)).toBe(false);
    expect(driver.events('request')).toMatchObject([{ atMs: 1_000 }]);
    driver.patch({ frozen: false });
    expect(driver.events('fill')).toMatchObject([{ atMs: 10_900 }]);
  });
});

describe('answers and reads', () => {
  it('trap 36: an order may take effect without an answer, or be lost without one', () => {
    const driver = new EngineDriver({ dropAnswers: { next: 1 } });
    expect(driver.submitted({ clientOrderId: 'kept' }).kind).toBe('silence');
    expect(driver.query('kept')).toMatchObject({ report: { status: 'filled' } });
    driver.patch({ loseOrders: { next: 1 } });
    expect(driver.submitted({ clientOrderId: 'lost' }).kind).toBe('silence');
    expect(driver.query('lost')).toMatchObject({ report: undefined });
    expect(driver.events('answer_dropped')).toMatchObject([{ lost: false }, { lost: true }]);
  });

  it('fails reads by count, by time and by kind, and records it', () => {
    const driver = new EngineDriver({ readFailures: { next: 1 } });
    expect(() => driver.position()).toThrow('failed');
    expect(driver.position()).toBe(0);
    driver.patch({ readFailures: { forMs: 100, of: ['orders'] } });
    expect(() => driver.openOrders()).toThrow('failed');
    expect(driver.position()).toBe(0);
    driver.wait(100);
    expect(driver.openOrders()).toEqual([]);
    expect(driver.events('read').map(({ outcome }) => outcome)).toEqual(['failed', 'answered', 'failed', 'answered', 'answered']);
  });

  it('stale reads cover open orders and queries too', () => {
    const driver = new EngineDriver({ staleReadsMs: 100 });
    driver.submit({ type: 'limit', limitPrice: 1, clientOrderId: 'r' });
    expect(driver.openOrders()).toEqual([]);
    expect(driver.query('r')).toMatchObject({ report: undefined });
    driver.wait(100);
    expect(driver.openOrders()).toEqual(['o1']);
    driver.cancelled('o1');
    expect(driver.openOrders()).toEqual(['o1']);
    driver.wait(100);
    expect(driver.openOrders()).toEqual([]);
  });

  it('finds ids for ever, while open, or never', () => {
    const driver = new EngineDriver();
    driver.submit({ clientOrderId: 'done' });
    driver.submit({ clientOrderId: 'open', type: 'limit', limitPrice: 1 });
    const found = () => ['done', 'open'].map((id) => reportOf(driver.query(id)) !== undefined);
    expect(found()).toEqual([true, true]);
    driver.patch({ clientOrderIds: 'while_open' });
    expect(found()).toEqual([false, true]);
    driver.patch({ clientOrderIds: 'never' });
    expect(found()).toEqual([false, false]);
  });

  it('a venue that ignores reduce-only says that it enforces it', () => {
    const driver = new EngineDriver({
      reduceOnly: 'ignored',
      clientOrderIds: 'never',
      staleReadsMs: 100,
      declaredReadLagMs: 0,
      orderExpiryMs: 9,
    });
    expect(driver.answer(driver.send({ kind: 'account', account: 'a' }))).toMatchObject({
      account: { reduceOnly: 'enforced', clientOrderIds: 'none', readLagMs: 0, orderExpiryMs: 9 },
    });
  });
});
