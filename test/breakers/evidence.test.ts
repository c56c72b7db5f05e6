/** What the breakers have seen of the market, of equity and of intents, and what is found in it. */
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/breakers/config.js';
import { Evidence, type Finding } from '../../src/breakers/evidence.js';
import { trips } from '../../src/breakers/result.js';

const evidenceOf = (config: object) => new Evidence(checkConfig(config));
const LATE = Number.MAX_SAFE_INTEGER;
const types = (found: readonly Finding[]) => found.map(({ type, result }) => [type, result.triggered, result.reasonCode]);
const invalid = (...fault: Parameters<typeof trips>) => [{ type: 'invalid_data', result: trips(...fault) }];
const NO_BARS = { type: 'missing_market_data', result: trips('no_bars', 'there are no bars') };

describe('evidence of bars', () => {
  it('is waited for by who needs any, until the first usable one', () => {
    expect(evidenceOf({}).waiting()).toBeUndefined();
    for (const config of [{ missingData: true }, { staleData: { maxAgeMs: 5 } }]) {
      const evidence = evidenceOf(config);
      expect(evidence.waiting()).toEqual(NO_BARS);
      evidence.bar({ openMs: 1 }, 0, LATE);
      expect(evidence.waiting()).toEqual(NO_BARS);
      evidence.bar({ openMs: 1, close: 2 }, 0, LATE);
      expect(evidence.waiting()).toBeUndefined();
    }
  });

  it('is waited for until both windows of every symbol are full, where that is asked for', () => {
    const volatility = { threshold: 3, recentN: 2, baselineN: 2, estimator: 'plain' };
    expect(evidenceOf({ volatility }).waiting()).toBeUndefined();
    expect(evidenceOf({ volatility: { ...volatility, threshold: 0, onInsufficientData: 'trip' } }).waiting()).toBeUndefined();
    const evidence = evidenceOf({ volatility: { ...volatility, onInsufficientData: 'trip' } });
    expect(evidence.waiting()).toEqual({ ...NO_BARS, type: 'abnormal_volatility' });
    for (let openMs = 0; openMs < 5; openMs += 1) {
      if (openMs > 0)
        expect(evidence.waiting()).toMatchObject({ type: 'abnormal_volatility', result: { details: { closes: openMs, needed: 5 } } });
      evidence.bar({ openMs, close: 10 + (openMs % 2) }, openMs, LATE);
    }
    expect(evidence.waiting()).toBeUndefined();
    evidence.bar({ symbol: 'ETH', openMs: 1, close: 10 }, 1, LATE);
    expect(evidence.waiting()).toMatchObject({ type: 'abnormal_volatility', result: { reasonCode: 'volatility_insufficient_data' } });
  });

  it('trips once it is too old by its receipt, each symbol on its own, and not before', () => {
    const evidence = evidenceOf({ staleData: { maxAgeMs: 10 } });
    expect(evidence.atTime(1e9)).toEqual([]);
    evidence.bar({ symbol: 'BTC', openMs: 1, close: 2 }, 100, LATE);
    evidence.bar({ symbol: 'ETH', openMs: 1, close: 2 }, 105, LATE);
    expect(evidence.atTime(110)).toEqual([]);
    expect(types(evidence.atTime(111))).toEqual([['stale_market_data', true, 'market_data_stale']]);
    expect(types(evidence.atTime(116))).toHaveLength(2);
    evidence.bar({ symbol: 'BTC', openMs: 2, close: 2 }, 116, LATE);
    expect(types(evidence.atTime(117))).toHaveLength(1);
    evidence.bar({ symbol: 'ETH', openMs: 2, close: 2 }, 117, LATE);
    expect(evidence.atTime(126)).toEqual([]);
    expect(types(evidence.atTime(127))).toHaveLength(1);
    expect(types(evidence.atTime(Number.NaN)).every(([, , code]) => code === 'time_invalid')).toBe(true);
  });

  it('that comes after too long a silence tells of it, though nobody asked meanwhile', () => {
    const evidence = evidenceOf({ staleData: { maxAgeMs: 10, expectedIntervalMs: 1, maxMissingBars: 0 } });
    expect(evidence.bar({ openMs: 1, close: 2 }, 0, LATE)).toEqual([]);
    expect(types(evidence.bar({ openMs: 2, close: 2 }, 10, LATE)).map(([, triggered]) => triggered)).toEqual([false, false]);
    const late = types(evidence.bar({ openMs: 4, close: 2 }, 21, LATE));
    expect(late).toEqual([
      ['stale_market_data', true, 'market_data_stale'],
      ['stale_market_data', true, 'market_data_gap'],
    ]);
  });

  it('is counted once, and a faulty one not at all', () => {
    const evidence = evidenceOf({ missingData: true, volatility: { threshold: 3, recentN: 2, baselineN: 2, estimator: 'plain' } });
    const bar = { openMs: 1, close: 2 };
    expect([evidence.bar(bar, 0, LATE), evidence.bar(bar, 1, LATE)]).toEqual([[], []]);
    expect(evidence.bar(null, 2, LATE)).toEqual(invalid('bar_missing', 'there is no bar where one was recorded'));
    for (const openMs of [2, 3, 4, 5]) evidence.bar({ openMs, close: 2 + openMs }, 3, LATE);
    expect(types(evidence.bar({ openMs: 6, close: 9 }, 3, LATE)).map(([type]) => type)).toEqual(['abnormal_volatility']);
    expect(evidence.noBars()).toEqual([NO_BARS]);
    expect(evidenceOf({}).noBars()).toEqual([]);
  });

  it('of a symbol that is no text is that of no symbol', () => {
    const evidence = evidenceOf({ missingData: true });
    for (const symbol of [5, null, undefined, {}]) expect(evidence.bar({ symbol, openMs: 1, close: 2 }, 0, LATE)).toEqual([]);
    expect(types(evidence.bar({ symbol: 7, openMs: 1, close: 3 }, 0, LATE))).toEqual([['invalid_data', true, 'bar_out_of_order']]);
    expect(evidence.bar({ symbol: 'BTC', openMs: 1, close: 3 }, 0, LATE)).toEqual([]);
  });
});

describe('evidence of quotes', () => {
  it('is waited for until the first usable one', () => {
    const evidence = evidenceOf({ quote: { maxSpread: 0.1 } });
    const none = { type: 'quote', result: trips('no_quote', 'there is no quote yet') };
    expect(evidence.waiting()).toEqual(none);
    expect(evidence.quote({ bid: 2, ask: 1 }, 0)).toEqual(invalid('quote_crossed', 'the ask 1 is below the bid 2'));
    expect(evidence.waiting()).toEqual(none);
    evidence.quote({ bid: 1, ask: 1 }, 0);
    expect(evidence.waiting()).toBeUndefined();
    expect(evidenceOf({}).quote({ bid: 1, ask: 3 }, 0)).toEqual([]);
  });

  it('trips on its spread at once, and on its age when that is asked for, or with the next one', () => {
    const evidence = evidenceOf({ quote: { maxSpread: 0.1, maxAgeMs: 10 } });
    expect(types(evidence.quote({ bid: 1, ask: 1.5 }, 0))).toEqual([['quote', true, 'spread_too_wide']]);
    expect(evidence.atTime(10)).toEqual([]);
    expect(types(evidence.atTime(11))).toEqual([['quote', true, 'quote_stale']]);
    expect(types(evidence.quote({ bid: 1, ask: 1 }, 11))).toEqual([
      ['quote', true, 'quote_stale'],
      ['quote', false, 'ok'],
    ]);
    expect(evidence.atTime(21)).toEqual([]);
    expect(types(evidence.quote({ bid: 1, ask: 1 }, 21)).map(([, triggered]) => triggered)).toEqual([false, false]);
    expect(types(evidence.atTime(32))).toEqual([['quote', true, 'quote_stale']]);
    expect(evidenceOf({ quote: { maxSpread: 0.1 } }).atTime(1e9)).toEqual([]);
  });
});

describe('evidence of equity and intents', () => {
  it('measures a drawdown from the highest equity, which begins again with a rebase alone', () => {
    const evidence = evidenceOf({ drawdown: { maxFraction: 0.2 } });
    const lost = (equity: number) => evidence.equity(equity).map(({ type, result }) => [type, result.details['value'], result.triggered]);
    expect([lost(100), lost(90), lost(110), lost(88)]).toEqual([
      [['drawdown', 0, false]],
      [['drawdown', 0.1, false]],
      [['drawdown', 0, false]],
      [['drawdown', 0.2, true]],
    ]);
    evidence.restart({ rebase: false });
    expect(lost(88)).toEqual([['drawdown', 0.2, true]]);
    evidence.restart({ rebase: true });
    expect(lost(88)).toEqual([['drawdown', 0, false]]);
    expect(evidence.equity(0)).toEqual(invalid('equity_invalid', 'the equity is not a finite number above zero: 0'));
    expect(evidenceOf({}).equity(1)).toEqual([]);
    expect(() => evidenceOf({}).restart({ rebase: true })).not.toThrow();
  });

  it('counts intents that are counts, and orders by them until it starts over', () => {
    const evidence = evidenceOf({ ordersPerIntent: { max: 1, windowMs: 10 } });
    const order = { symbol: 'BTC', side: 'buy', quantity: 1 };
    for (const count of [0, 2]) expect(evidence.intent(count, 0)).toEqual([]);
    expect(types(evidence.order(order, 0))).toEqual([['orders_per_intent', false, 'ok']]);
    for (const wrong of [-1, 0.5, Number.NaN, '1', undefined])
      expect(evidence.intent(wrong, 0)).toEqual(invalid('count_invalid', 'the number of intents is not a count'));
    evidence.restart({ rebase: false });
    expect(types(evidence.order(order, 0))).toEqual([['orders_per_intent', true, 'orders_exceed_intents']]);
  });

  it('holds an order against the quote of its symbol, else its last close, else what names no symbol', () => {
    const evidence = evidenceOf({ priceCollar: { maxDeviation: 0.1 } });
    const order = (price: number) => ({ symbol: 'BTC', side: 'buy', quantity: 1, price });
    const reference = () => evidence.order(order(50), 0)[0]?.result.details['reference'];
    expect(types(evidence.order(order(50), 0))).toEqual([['price_collar', true, 'collar_no_reference']]);
    evidence.bar({ openMs: 1, close: 40 }, 0, LATE);
    expect(reference()).toBe(40);
    evidence.quote({ symbol: 'ETH', bid: 10, ask: 10 }, 0);
    expect(reference()).toBe(40);
    evidence.bar({ symbol: 'BTC', openMs: 1, close: 60 }, 0, LATE);
    expect(reference()).toBe(60);
    evidence.quote({ symbol: 'BTC', bid: 50, ask: 54 }, 0);
    expect(reference()).toBe(52);
  });
});
