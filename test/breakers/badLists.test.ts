/** Data that is faulty in ways that a loop can step over: holes, lists that are none, names that are no text, faults beside faults. */
import { describe, expect, it } from 'vitest';
import { breakersFrom } from '../../src/breakers/environment.js';
import { LossBook } from '../../src/breakers/lossBook.js';
import { quoteQuality } from '../../src/breakers/quoteQuality.js';
import { staleMarketData } from '../../src/breakers/staleMarketData.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import { ConfigurationError } from '../../src/errors.js';
import type { ResultSource } from '../../src/messages/result.js';
import { calm, MINUTE_MS, result, scene } from './support.js';

const RESET = { by: 'operator', reason: 'reviewed' } as const;
const hostile = {
  openMs: 1,
  get close(): number {
    throw new Error('the feed is broken');
  },
};

/** A list of nothing but holes. */
function holed(length: number): string[] {
  const list: string[] = [];
  list.length = length;
  return list;
}

describe('trap 19: bars that come at once', () => {
  it('with a hole among them trip as a bar that is missing', () => {
    const holes: unknown[] = holed(3);
    expect(scene({}).breakers.recordBars(holes as never)).toMatchObject({ triggered: true, reasonCode: 'bar_missing' });
  });

  it('that are no list trip, also where a check that fails does not', () => {
    for (const none of [undefined, null, 7, 'bars', {}, { length: 0 }]) {
      const { breakers } = scene({ onEvaluationError: 'allow' });
      expect(breakers.recordBars(none as never)).toMatchObject({ triggered: true, type: 'invalid_data', reasonCode: 'bar_missing' });
    }
  });

  it('a fault among them stands, whatever comes of the ones after it', () => {
    const { breakers } = scene({ onEvaluationError: 'allow' });
    expect(breakers.recordBars([{ openMs: 1, close: Number.NaN }, hostile])).toMatchObject({ reasonCode: 'price_not_a_number' });
  });

  it('in the list of a pure check are bars, each with a time where gaps are looked for', () => {
    const options = { maxAgeMs: 5, expectedIntervalMs: 5 };
    const judged = (bars: unknown) => staleMarketData({ nowMs: 1, receivedMs: 1, bars: bars as never }, options).reasonCode;
    expect([{}, 7, true].map(judged)).toEqual(['bar_missing', 'bar_missing', 'bar_missing']);
    expect([[{ openMs: Number.NaN }], [undefined], holed(1)].map(judged)).toEqual(['time_invalid', 'time_invalid', 'time_invalid']);
    expect([[], [{ openMs: 1 }]].map(judged)).toEqual(['ok', 'ok']);
  });

  it('of a symbol that no bar could be used of are not waited for after a reset', async () => {
    const windows = { recentN: 2, baselineN: 2 };
    const { breakers, bar, refusal } = scene({ volatility: { threshold: 100, onInsufficientData: 'trip', ...windows } });
    for (const close of calm(20)) await bar(close);
    expect(refusal()).toBeUndefined();
    breakers.recordBar({ symbol: 'MISSPELT', openMs: 1, close: Number.NaN });
    expect(refusal()).toMatchObject({ code: 'circuit_breaker_invalid_data' });
    await breakers.reset(RESET);
    expect(refusal()).toBeUndefined();
  });
});

describe('trap 19: a quote', () => {
  it('of no time at all trips a pure check, and throws nothing', () => {
    expect(quoteQuality({ bid: 1, ask: 1 }, undefined as never, { maxAgeMs: 5 })).toMatchObject({ reasonCode: 'evaluation_error' });
  });

  it('is no reference once a bar has come after it: quotes may have ended long before', async () => {
    const { breakers, clock } = scene({ priceCollar: { maxDeviation: 0.1 } });
    const order = (price: number) => breakers.recordOrder({ symbol: 'AAPL', side: 'buy', quantity: 1, price }).reasonCode;
    breakers.recordBar({ openMs: clock.wallMs() - 2 * MINUTE_MS, close: 50 });
    breakers.recordQuote({ bid: 100, ask: 100 });
    expect(order(100)).toBe('ok');
    await clock.advance(10 * MINUTE_MS);
    breakers.recordBar({ openMs: clock.wallMs() - MINUTE_MS, close: 50 });
    expect([order(50), order(100)]).toEqual(['ok', 'price_collar']);
  });
});

describe('trap 19: results', () => {
  it('whose list of fills has a hole cannot be told apart, and trip', () => {
    const { breakers } = scene({ consecutiveLosses: { max: 2 } });
    expect(breakers.recordFill({ pnl: '-1', closedAtMs: 1, ids: holed(1) })).toMatchObject({ reasonCode: 'pnl_invalid' });
  });

  it('of an account or a symbol that is no text would be taken for those of another, and trip', () => {
    for (const place of [{ account: 5 }, { symbol: 5 }, { account: {} }]) {
      const { breakers } = scene({ consecutiveLosses: { max: 2 } });
      const given = { pnl: '-1', closedAtMs: 1, ids: ['a'], ...place };
      expect(breakers.recordFill(given as never)).toMatchObject({ triggered: true, reasonCode: 'pnl_invalid' });
    }
  });

  it('of zero are let go of, however few others there are', () => {
    const book = new LossBook({ max: 3, inLast: undefined, lossSum: { limit: 9, windowMs: 1e9 } }, { limit: 9, dayStartsAtUtcMinutes: 0 });
    const take = (pnl: string, index: number) => book.take({ pnl, closedAtMs: index, ids: [`f${index}`] });
    take('-1', 0);
    for (let index = 1; index < 2_000; index += 1) take('0', index);
    expect(book.size).toBeLessThanOrEqual(128);
    expect([take('-1', 2_000), take('-1', 2_001)]).toMatchObject([{ losses: { triggered: false } }, { losses: { triggered: true } }]);
  });

  it('of a ledger that cannot be read now leave its refusals to be told later', async () => {
    const { breakers } = scene({});
    let isBroken = true;
    const closes = (): never[] => {
      if (isBroken) throw new Error('no memory');
      return [];
    };
    const ledger: ResultSource = { closes, refusals: () => ({ count: 1 }) };
    expect(breakers.recordFills(ledger)).toMatchObject({ reasonCode: 'evaluation_error' });
    await breakers.reset(RESET);
    isBroken = false;
    expect(breakers.recordFills(ledger)).toMatchObject({ triggered: true, reasonCode: 'fill_refused' });
  });
});

describe('a limit that is given and would not be in force', () => {
  it('S3: is an error where it is inherited or hidden', () => {
    const rate = { max: 1, windowMs: 1 };
    const hidden = Object.defineProperty({}, 'orderRate', { value: rate });
    for (const config of [Object.create({ orderRate: rate }) as object, hidden, { consecutiveLosses: Object.create({ max: 1 }) as object }])
      expect(() => createStrategyBreakers('s', config)).toThrow(ConfigurationError);
  });

  it('S3: is an error where it is too small for a number', () => {
    const read = (text: string) => breakersFrom((name) => (name === 'STRATEGY_CB_VOL_RATIO_THRESHOLD' ? text : undefined));
    expect(() => read(`0.${'0'.repeat(400)}1`)).toThrow(ConfigurationError);
    expect(read('0.0')).toEqual({ volatility: { threshold: 0 } });
  });

  it('S3: so is a bus that has gone missing, and a reset that says neither yes nor no', async () => {
    expect(() => createStrategyBreakers('s', {}, { bus: undefined } as never)).toThrow(ConfigurationError);
    const { breakers } = scene({ consecutiveLosses: { max: 1 } });
    breakers.recordFill(result(-1));
    await expect(breakers.reset({ ...RESET, rebase: 'false' } as never)).rejects.toBeInstanceOf(ConfigurationError);
    expect(breakers.verdict().triggered).toBe(true);
  });
});
