/** What a ledger tells that has changed, against all that it holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLedger, type Ledger, type RealisedResult } from '../../src/index.js';
import { BookCloses } from '../../src/ledger/bookCloses.js';
import { CloseLog, KEPT_CHANGES } from '../../src/ledger/closeLog.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';
import { reportOf, SPAN_MS, START_MS } from './arbitraries.js';
import { toReport } from './model.js';
import { fill, ledgerWith, NOON_MS } from './support.js';

const LATER = new ManualClock({ wallMs: START_MS + 2 * SPAN_MS });
const texts = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).toSorted();

/** Knows nothing but what the news of one strategy have told. */
class Reader {
  readonly #strategy: string | null;
  #place: number | undefined;
  #closes: string[] = [];

  constructor(strategy: string | null) {
    this.#strategy = strategy;
  }

  read(ledger: Ledger): string[] {
    const { changes, place, isWhole = false } = ledger.news({ strategy: this.#strategy }, this.#place);
    expect(isWhole).toBe(this.#place === undefined);
    this.#place = place;
    if (isWhole) this.#closes = [];
    for (const { withdrawn, told } of changes) {
      for (const close of texts(withdrawn)) {
        // Nothing is taken back that was not told.
        expect(this.#closes).toContain(close);
        this.#closes.splice(this.#closes.indexOf(close), 1);
      }
      this.#closes.push(...texts(told));
    }
    return this.#closes.toSorted();
  }
}

describe('the news of a ledger', () => {
  it('tell, read at whatever times, exactly the closes that there are: across late fills, corrections, busts and moves', async () => {
    const step = fc.tuple(reportOf({ ids: 15, revisions: 3, stepMs: 60_000 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const ledger = await createLedger({ clock: LATER, horizonMs: 2 * SPAN_MS });
        const readers = (['reversion', null] as const).map((strategy) => ({ strategy, reader: new Reader(strategy) }));
        for (const [report, isRead] of steps) {
          ledger.record(toReport(report));
          if (!isRead) continue;
          for (const { strategy, reader } of readers) expect(reader.read(ledger)).toEqual(texts(ledger.closes({ strategy })));
        }
      }),
      { seed: fcSeed, numRuns: 400 },
    );
  });

  it('tell the parts of an order as one close that grows, and nothing where nothing was closed', async () => {
    const ledger = await ledgerWith([fill('buy', 3, 100)]);
    const { place = 0 } = ledger.news({ strategy: null });
    expect(ledger.news({ strategy: null }, place)).toEqual({ changes: [], place });
    const parts = [90, 95].map((price) => fill('sell', 1, price, { orderId: 'exit' }));
    for (const part of parts) ledger.record(part);
    const { changes } = ledger.news({ strategy: null }, place);
    const pnl = (closes: readonly { readonly pnl: string }[]): string[] => closes.map((close) => close.pnl);
    expect(changes.map(({ withdrawn, told }) => [pnl(withdrawn), pnl(told)])).toEqual([
      [[], ['-10']],
      [['-10'], ['-15']],
    ]);
    for (const part of parts) ledger.record(part);
    expect(ledger.news({ strategy: null }, place).changes).toEqual(changes);
    expect(ledger.news({ strategy: 'other' }, 0)).toEqual({ changes: [], place: 0 });
  });

  it('are everything, in the place of all before, for whoever begins or asks from a place that is none', async () => {
    const ledger = await ledgerWith([fill('buy', 1, 100), fill('sell', 1, 90)]);
    const whole = { isWhole: true, forgottenThroughMs: -Infinity, place: 1, changes: [{ withdrawn: [], told: ledger.closes() }] };
    for (const place of [undefined, -1, 2, 0.5, Number.NaN]) expect(ledger.news({ strategy: null }, place)).toEqual(whole);
    expect(ledger.news({ strategy: null }, 0).isWhole).toBeUndefined();
  });

  it('say what is no longer kept, and do not tell that it is gone', async () => {
    const ledger = await ledgerWith([], { keepResults: 1, horizonMs: 0 });
    const { place = 0 } = ledger.news({ strategy: null });
    for (const minute of [1, 2, 3]) {
      ledger.record(fill('buy', 1, 100, { time: NOON_MS + minute * 60_000 }));
      ledger.record(fill('sell', 1, 90, { time: NOON_MS + minute * 60_000 + 1, orderId: `exit-${minute}` }));
    }
    expect(ledger.closes()).toHaveLength(2);
    expect(ledger.news({ strategy: null }, place).changes.flatMap(({ withdrawn }) => withdrawn)).toEqual([]);
    expect(ledger.news({ strategy: null })).toMatchObject({ forgottenThroughMs: NOON_MS + 60_001 });
  });

  it('go on over a restart from everything', async () => {
    const [bought, sold] = [fill('buy', 2, 100), fill('sell', 1, 90, { orderId: 'exit' })];
    const before = await ledgerWith([bought, sold]);
    const ledger = await ledgerWith([], { snapshot: before.snapshot() });
    const { place = 0, isWhole } = ledger.news({ strategy: null });
    expect(isWhole).toBe(true);
    ledger.record(fill('sell', 1, 80, { orderId: 'exit' }));
    expect(ledger.news({ strategy: null }, place).changes).toMatchObject([{ withdrawn: [{ pnl: '-10' }], told: [{ pnl: '-30' }] }]);
  });
});

describe('the closes of a position', () => {
  const part = (id: string, pnl: string, orderId?: string): RealisedResult => ({
    id,
    account: 'main',
    symbol: 'AAPL',
    ...(orderId === undefined ? {} : { orderId }),
    quantity: '1',
    pnl,
    fees: '0',
    slippage: '0',
    closedAtMs: Number(id),
  });
  const ids = (closes: readonly { readonly ids: readonly string[] }[]): string[] => closes.map((close) => close.ids.join('+'));

  it('come in the order of their last parts', () => {
    const closes = new BookCloses([part('1', '1', 'a'), part('2', '1', 'b')]);
    const { told, withdrawn } = closes.change([], [part('3', '1', 'b'), part('4', '1'), part('5', '1', 'a')]);
    expect(ids(told)).toEqual(['2+3', '4', '1+5']);
    expect(ids(withdrawn).toSorted()).toEqual(['1', '2']);
  });

  it('forget the parts that are no longer kept, oldest first', () => {
    const [first, second] = [part('1', '1', 'a'), part('2', '1', 'a')];
    const closes = new BookCloses([first, second]);
    closes.drop([first, part('0', '1')]);
    const third = part('3', '1', 'a');
    expect(ids(closes.change([], [third]).told)).toEqual(['2+3']);
    closes.drop([second, third]);
    expect(ids(closes.change([], [part('4', '1', 'a')]).told)).toEqual(['4']);
  });
});

describe('the log of closes', () => {
  it('keeps the newest changes, and knows when it no longer has what is asked for', () => {
    const log = new CloseLog();
    const added = 5 * KEPT_CHANGES + 3;
    for (let index = 0; index < added; index += 1) log.add({ withdrawn: [], told: [] });
    expect(log.place).toBe(added);
    expect(log.since(added)).toEqual({ changes: [], place: added });
    expect(log.since(added - KEPT_CHANGES)?.changes).toHaveLength(KEPT_CHANGES);
    expect(log.since(added - 2 * KEPT_CHANGES - 1)).toBeUndefined();
    expect(log.since(added + 1)).toBeUndefined();
  });

  it('tells each change once, at whatever pace it is read', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: KEPT_CHANGES }), { maxLength: 8 }), (batches) => {
        const log = new CloseLog();
        let [place, made] = [0, 0];
        const seen: number[] = [];
        for (const batch of batches) {
          for (let index = 0; index < batch; index += 1) {
            log.add({ withdrawn: [], told: [{ closedAtMs: made } as never] });
            made += 1;
          }
          const news = log.since(place);
          for (const { told } of news?.changes ?? []) seen.push(told[0]?.closedAtMs ?? -1);
          place = news?.place ?? -1;
        }
        expect(seen).toEqual(Array.from({ length: made }, (_, index) => index));
      }),
      { seed: fcSeed, numRuns: 30 },
    );
  });
});
