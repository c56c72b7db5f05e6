/** The book of losses against the plainest way to count, and against the ledger that it is fed from. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LossBook, type LossFindings } from '../../src/breakers/lossBook.js';
import type { LossOptions } from '../../src/breakers/options.js';
import { type CheckResult, trips } from '../../src/breakers/result.js';
import { createLedger, type Ledger } from '../../src/index.js';
import type { BreakerResult, ResultSource } from '../../src/messages/result.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fillOf, reportOf, SPAN_MS, START_MS } from '../ledger/arbitraries.js';
import { type ModelReport, toReport } from '../ledger/model.js';
import { fill, ledgerWith } from '../ledger/support.js';
import { fcSeed } from '../support/seed.js';
import { result } from './support.js';

const OPTIONS: LossOptions = { max: 4, inLast: { losses: 4, results: 6 }, lossSum: { limit: 5, windowMs: 40 } };
const DAY_MS = 86_400_000;
const DAILY = { limit: 5, dayStartsAtUtcMinutes: 0 };

function found(taken: CheckResult | LossFindings): LossFindings {
  if ('triggered' in taken) throw new Error(taken.message);
  return taken;
}

/** What counts, oldest first; of results in tenths, so that plain numbers are exact enough. */
function plainCount(results: readonly { readonly pnl: number; readonly closedAtMs: number }[], { max, inLast, lossSum }: LossOptions) {
  const counted = results.filter(({ pnl }) => pnl !== 0);
  const streak = counted.length - 1 - counted.findLastIndex(({ pnl }) => pnl > 0);
  const inLastLost = counted.slice(-(inLast?.results ?? 0)).filter(({ pnl }) => pnl < 0).length;
  const sinceMs = (counted.at(-1)?.closedAtMs ?? 0) - (lossSum?.windowMs ?? 0);
  const lost = counted.filter(({ pnl, closedAtMs }) => pnl < 0 && closedAtMs > sinceMs).reduce((sum, { pnl }) => sum - pnl, 0);
  return { streak, inLastLost, lost, trips: streak >= max || inLastLost >= (inLast?.losses ?? 0) || lost / 10 >= (lossSum?.limit ?? 0) };
}

describe('the book of losses', () => {
  const step = fc.record({
    id: fc.nat(400),
    tenths: fc.integer({ min: -12, max: 12 }),
    // Mostly the newest, sometimes late.
    backMs: fc.oneof({ arbitrary: fc.constant(0), weight: 5 }, { arbitrary: fc.nat(60), weight: 1 }),
    aheadMs: fc.nat(6),
  });

  it('finds what the plainest count finds, of results in order, late ones and corrections', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 250 }), (steps) => {
        const book = new LossBook(OPTIONS, undefined);
        const known = new Map<string, { pnl: number; closedAtMs: number; order: number }>();
        let nowMs = 1_000;
        for (const [order, { id, tenths, backMs, aheadMs }] of steps.entries()) {
          nowMs += aheadMs;
          const closedAtMs = nowMs - backMs;
          known.set(`f${id}`, { pnl: tenths, closedAtMs, order });
          const { losses } = found(book.take({ pnl: String(tenths / 10), closedAtMs, ids: [`f${id}`] }));
          const expected = plainCount(
            [...known.values()].toSorted((a, b) => a.closedAtMs - b.closedAtMs || a.order - b.order),
            OPTIONS,
          );
          expect(losses.triggered).toBe(expected.trips);
        }
      }),
      { seed: fcSeed, numRuns: 300 },
    );
  });

  it('nets each day by itself, and gives a late result to its own', () => {
    const days = fc.array(fc.record({ tenths: fc.integer({ min: -30, max: 20 }), stepMs: fc.nat(DAY_MS / 3), back: fc.boolean() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(days, (steps) => {
        const book = new LossBook(undefined, DAILY);
        const seen: { tenths: number; day: number }[] = [];
        let nowMs = 10 * DAY_MS;
        for (const [index, { tenths, stepMs, back }] of steps.entries()) {
          nowMs += stepMs;
          const closedAtMs = back ? nowMs - DAY_MS : nowMs;
          seen.push({ tenths, day: Math.floor(closedAtMs / DAY_MS) });
          const { daily } = found(book.take({ pnl: String(tenths / 10), closedAtMs, ids: [`f${index}`] }));
          const newest = Math.max(...seen.map(({ day }) => day));
          const net = seen.filter(({ day }) => day === newest).reduce((sum, one) => sum + one.tenths, 0);
          expect(daily.triggered).toBe(-net / 10 >= DAILY.limit);
          expect(Number(daily.details['value'])).toBeCloseTo(Math.max(0, -net / 10), 9);
        }
      }),
      { seed: fcSeed, numRuns: 200 },
    );
  });

  it('a streak that is longer than what is kept stays as long as it is', () => {
    const book = new LossBook({ ...OPTIONS, max: 1_000, inLast: undefined, lossSum: undefined }, undefined);
    const lose = (index: number) => book.take({ pnl: '-1', closedAtMs: index, ids: [`f${index}`] });
    for (let index = 0; index < 999; index += 1) expect(found(lose(index)).losses.triggered).toBe(false);
    expect(found(lose(999)).losses).toMatchObject({ triggered: true, details: { value: 1_000 } });
    for (let index = 1_000; index < 5_000; index += 1) lose(index);
    expect(found(lose(5_000)).losses.details['value']).toBe(5_001);
  });
});

describe('a reset', () => {
  const losing = (id: number): BreakerResult => ({ pnl: '-1', closedAtMs: id, ids: [`f${id}`] });

  it('begins again for all that count, those among them that are no longer known by their ids', () => {
    const book = new LossBook({ max: 0, inLast: { losses: 6, results: 6 }, lossSum: undefined }, { ...DAILY, limit: 6 }, 2);
    for (let id = 0; id < 5; id += 1) book.take(losing(id));
    book.restart({ rebase: false });
    const kept = found(book.take(losing(5)));
    expect([kept.losses.details['value'], kept.daily.details['value']]).toEqual([1, '6']);
    book.restart({ rebase: true });
    const { losses, daily } = found(book.take(losing(6)));
    expect([losses.details['value'], daily.details['value']]).toEqual([1, '1']);
  });

  it('what it has begun again stays so where it is repeated, and a part of its order that comes later counts', () => {
    const book = new LossBook({ max: 0, inLast: { losses: 6, results: 6 }, lossSum: undefined }, undefined);
    book.take(losing(1));
    book.restart({ rebase: false });
    expect(found(book.take(losing(1))).losses.reasonCode).toBe('no_results');
    expect(found(book.take({ ...losing(1), ids: ['f1', 'f2'] })).losses.details['value']).toBe(1);
  });
});

describe('the book of losses beside its ledger', () => {
  const WINDOW_MS = 20 * 60_000;
  const LOSSES: LossOptions = { max: 2, inLast: { losses: 2, results: 3 }, lossSum: { limit: 20, windowMs: WINDOW_MS } };
  const clock = new ManualClock({ wallMs: START_MS + 2 * SPAN_MS });

  /** Every close, oldest first, asked of the ledger in its own words. */
  function expectedOf(ledger: Ledger): boolean {
    const counted = ledger.closes().filter(({ pnl }) => pnl !== '0');
    const newestMs = counted.at(-1)?.closedAtMs;
    if (newestMs === undefined) return false;
    const { sum } = ledger.lossSum(clock.wallMs() - newestMs + WINDOW_MS);
    return ledger.consecutiveLosses().losses >= 2 || ledger.lossesInLast(3).losses >= 2 || Number(sum) >= 20;
  }

  it('trips exactly where the ledger counts so many, across corrections, busts, late fills and repetitions', async () => {
    // Several at one time, but of those each with a sequence of its own: which came first else is nobody's word.
    const reports = fc.array(
      reportOf({ ids: 12, revisions: 2, stepMs: 60_000 }).map((report) => {
        const number = Number(report.id.slice(5));
        return { ...report, timeMs: START_MS + (number % 4) * 60_000, sequence: ((number * 7) % 12) * 3 + report.revision };
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(reports, async (given) => {
        const ledger = await createLedger({ clock, horizonMs: 2 * SPAN_MS });
        const book = new LossBook(LOSSES, undefined);
        for (const report of given) {
          ledger.record(toReport(report));
          const { losses } = found(book.takeAll(ledger, 'reversion', Number.POSITIVE_INFINITY));
          expect(losses.triggered).toBe(expectedOf(ledger));
        }
      }),
      { seed: fcSeed, numRuns: 300 },
    );
  });

  it('closes of zero are no losses, and take no place among the last ones, here as there', async () => {
    const results: BreakerResult[] = ['-1', '0', '0', '-1', '0', '0'].map((pnl, index) => ({ pnl, closedAtMs: index, ids: [`f${index}`] }));
    const book = new LossBook({ ...LOSSES, max: 0, inLast: { losses: 2, results: 2 }, lossSum: undefined }, undefined);
    expect(found(book.takeList(results)).losses.triggered).toBe(true);
  });

  it('counts on what the ledger has let go of, as if it had kept everything', async () => {
    const fills = fc.uniqueArray(fillOf({ ids: 1_000, revisions: 0, stepMs: 1_000 }), {
      minLength: 20,
      maxLength: 60,
      selector: ({ id }) => id,
    });
    // In the order of time; some are corrected right away, and some busted.
    const reports = fc
      .tuple(fills, fc.array(fc.constantFrom('', '', '', 'corrected', 'busted'), { minLength: 60, maxLength: 60 }))
      .map(([given, fates]) =>
        given
          .map((one) => ({ ...one, symbol: 'AAPL', account: 'main', orderId: undefined }))
          .toSorted((a, b) => a.timeMs - b.timeMs)
          .flatMap((one, index): ModelReport[] => {
            const { id, account, symbol, timeMs } = one;
            const fate = fates[index];
            if (fate === 'corrected') return [one, { ...one, price: one.price + 500, revision: 1 }];
            return fate === 'busted' ? [one, { kind: 'bust', id, account, symbol, timeMs, revision: 1 }] : [one];
          }),
      );
    await fc.assert(
      fc.asyncProperty(reports, async (given) => {
        const options = { clock, horizonMs: 2 * 60_000 };
        const forgetful = await createLedger({ ...options, keepResults: 1 });
        const complete = await createLedger(options);
        const [book, other] = [new LossBook(LOSSES, { ...DAILY, limit: 30 }), new LossBook(LOSSES, { ...DAILY, limit: 30 })];
        for (const report of given) {
          for (const ledger of [forgetful, complete]) ledger.record(toReport(report));
          expect(book.takeAll(forgetful, 'reversion', Infinity)).toEqual(other.takeAll(complete, 'reversion', Infinity));
        }
        // Asked for everything again, it tells less; what it no longer keeps is not taken back by that.
        const repeated = complete.closes({ strategy: 'reversion' }).at(-1);
        if (repeated === undefined) return;
        for (const each of [book, other]) each.take(repeated);
        expect(book.takeAll(forgetful, 'reversion', Infinity)).toEqual(other.takeAll(complete, 'reversion', Infinity));
      }),
      { seed: fcSeed, numRuns: 100 },
    );
  });

  it('reads each close once, however many there are', async () => {
    const ledger = await ledgerWith([]);
    let told = 0;
    const counting: ResultSource = {
      closes: () => {
        throw new Error('everything was read again');
      },
      news: (filter, place) => {
        const news = ledger.news(filter, place);
        for (const change of news.changes) told += change.told.length + change.withdrawn.length;
        return news;
      },
      refusals: () => ledger.refusals(),
    };
    const book = new LossBook(LOSSES, DAILY);
    const fills = 3_000;
    for (let index = 0; index < fills; index += 1) {
      ledger.record(fill(index % 2 === 0 ? 'buy' : 'sell', 1, 100));
      book.takeAll(counting, 'reversion', Infinity);
    }
    expect(told).toBe(fills / 2);
  });

  it('a source that tells only all of it is read whole each time, and what it does not tell any more is gone', () => {
    const closes = [result(-1, 1), result(-1, 2)];
    const source: ResultSource = { closes: ({ strategy }) => (strategy === null ? [] : closes), refusals: () => ({ count: 0 }) };
    const book = new LossBook({ max: 2, inLast: undefined, lossSum: undefined }, undefined);
    expect(found(book.takeAll(source, 's', Infinity)).losses.triggered).toBe(true);
    closes.shift();
    expect(found(book.takeAll(source, 's', Infinity)).losses).toMatchObject({ triggered: false, details: { value: 1 } });
  });

  it('where one result cannot be read, none is taken, and all are read the next time', () => {
    const closes: BreakerResult[] = [result(-1, 1), { ...result(-1, 2), pnl: 'none' }];
    const source: ResultSource = { closes: ({ strategy }) => (strategy === null ? closes : []), refusals: () => ({ count: 0 }) };
    const book = new LossBook({ max: 2, inLast: undefined, lossSum: undefined }, undefined);
    expect(book.takeAll(source, 's', Infinity)).toMatchObject({ triggered: true, reasonCode: 'pnl_invalid' });
    expect(book.size).toBe(0);
    closes[1] = result(-1, 2);
    expect(found(book.takeAll(source, 's', Infinity)).losses.triggered).toBe(true);
  });

  it('keeps no more than is needed', async () => {
    const ledger = await ledgerWith([], { keepResults: 1, horizonMs: 0 });
    const book = new LossBook({ max: 2, inLast: undefined, lossSum: undefined }, undefined);
    for (let index = 0; index < 1_000; index += 1) {
      ledger.record(fill(index % 2 === 0 ? 'buy' : 'sell', 1, 100 + (index % 3)));
      book.takeAll(ledger, 'reversion', Infinity);
      expect(book.size).toBeLessThanOrEqual(64);
    }
  });

  it('results of one millisecond count by their sequence, in whatever order they come', () => {
    const at = (pnl: string, sequence?: number): BreakerResult => ({
      pnl,
      closedAtMs: 5,
      ids: [`${pnl}/${sequence}`],
      ...(sequence === undefined ? {} : { sequence }),
    });
    const streak = (results: readonly BreakerResult[]) =>
      found(new LossBook({ max: 9, inLast: undefined, lossSum: undefined }, undefined).takeList(results)).losses.details['value'];
    expect(streak([at('-1', 3), at('2', 1)])).toBe(1);
    expect(streak([at('2', 1), at('-1', 3)])).toBe(1);
    expect(streak([at('2', 3), at('-1', 1)])).toBe(0);
    expect(streak([at('-1', 0), at('2')])).toBe(0);
    expect(streak([at('2'), at('-1', 0)])).toBe(1);
  });

  it('what is no list, and a result of it that is none, are told with their place', () => {
    const book = new LossBook(OPTIONS, undefined);
    for (const none of [undefined, null, {}, 'list'])
      expect(book.takeList(none)).toEqual(trips('pnl_invalid', 'there is no list of results'));
    expect(book.takeList([result(-1, 1), null])).toEqual(trips('pnl_invalid', 'there is no result where one was recorded', { index: 1 }));
  });

  it('refusals of a ledger are told once, in its words, and as seen once counting begins again', () => {
    let refusals: ReturnType<ResultSource['refusals']> = { count: 2, latest: { message: 'no price' } };
    const seen: unknown[] = [];
    const source: ResultSource = {
      closes: () => [],
      refusals: () => refusals,
      takeRefusalsAsSeen: (strategy, count) => void seen.push([strategy, count]),
    };
    const book = new LossBook(OPTIONS, undefined);
    const refused = (message: string, count: number) =>
      trips('fill_refused', `the ledger refused a fill, which may hide a loss: ${message}`, { refused: count });
    expect(book.newRefusals(source, 's')).toEqual(refused('no price', 2));
    expect(book.newRefusals(source, 's')).toBeUndefined();
    refusals = { count: 5 };
    expect(book.newRefusals(source, 's')).toEqual(refused('it does not say why', 3));
    book.restart({ rebase: false });
    expect(seen).toEqual([['s', 5]]);
    const mute: ResultSource = { closes: () => [], refusals: () => ({ count: 1 }) };
    expect(book.newRefusals(mute, 's')).toEqual(refused('it does not say why', 1));
    expect(() => book.restart({ rebase: false })).not.toThrow();
    const known: ResultSource = { ...mute, refusalsSeen: () => 1 };
    expect(book.newRefusals(known, 's')).toBeUndefined();
  });

  it('what the ledger no longer keeps and may count is told with its time', () => {
    const source: ResultSource = {
      closes: () => [],
      news: (_filter, place) => ({ isWhole: place === undefined, place: 1, forgottenThroughMs: 7, changes: [] }),
      refusals: () => ({ count: 0 }),
    };
    const message = 'the ledger no longer keeps results that may count: there may be more losses than these. See its keepResults';
    const book = new LossBook({ max: 2, inLast: undefined, lossSum: undefined }, undefined);
    expect(found(book.takeAll(source, 's', Infinity)).missing).toEqual(trips('results_missing', message, { missedThroughMs: 7 }));
    expect(found(book.takeAll(source, 's', Infinity)).missing).toBeUndefined();
  });

  it('a repetition of one of the newest fills is none, and one of an older fill counts again', () => {
    const book = new LossBook({ max: 9, inLast: undefined, lossSum: undefined }, undefined, 2);
    const one = (id: string, closedAtMs: number): BreakerResult => ({ pnl: '-1', closedAtMs, ids: [id] });
    const streak = (given: BreakerResult) => found(book.take(given)).losses.details['value'];
    expect(['a', 'b', 'b', 'a'].map((id, index) => streak(one(id, index)))).toEqual([1, 2, 2, 2]);
    expect(streak(one('c', 5))).toBe(3);
    expect(streak(one('a', 6))).toBe(3);
    expect(streak(one('b', 7))).toBe(4);
  });
});
