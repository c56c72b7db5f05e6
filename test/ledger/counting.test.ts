/** How losses are counted, and the ways in which counters of losses have failed before. */
import { describe, expect, it } from 'vitest';
import { createLedger, type Ledger, type LedgerFill } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { aDayLater, fill, ledgerWith, NOON_MS, pnls } from './support.js';

/** A round trip that earns this much. */
const trip = (pnl: number, rest: Partial<LedgerFill> = {}): LedgerFill[] => [fill('buy', 1, 100, rest), fill('sell', 1, 100 + pnl, rest)];
const trips = (...earned: readonly number[]): LedgerFill[] => earned.flatMap((pnl) => trip(pnl));

const streak = (ledger: Ledger): number => ledger.consecutiveLosses().losses;

describe('consecutive losses', () => {
  it('end with a gain', async () => {
    const ledger = await ledgerWith(trips(-1, 5, -1, -2));
    expect(ledger.consecutiveLosses()).toEqual({ losses: 2, closes: 2, complete: true });
    expect((await ledgerWith(trips(-1, -1, 1))).consecutiveLosses()).toEqual({ losses: 0, closes: 0, complete: true });
    expect((await ledgerWith([])).consecutiveLosses()).toEqual({ losses: 0, closes: 0, complete: true });
  });

  it('trap 18: are neither counted nor reset by a result of zero', async () => {
    expect((await ledgerWith(trips(-1, 0, -1, 0))).consecutiveLosses()).toEqual({ losses: 2, closes: 4, complete: true });
    expect(streak(await ledgerWith(trips(0, 0)))).toBe(0);
  });

  it('trap 18: are not reset by midnight, and a position that is held over it is closed at what it cost', async () => {
    const fills = [
      fill('buy', 1, 100, { time: '2024-02-29T20:00:00Z' }),
      fill('buy', 1, 90, { time: '2024-02-29T23:59:59.999Z' }),
      fill('sell', 1, 95, { time: '2024-02-29T23:59:59.999Z', id: 'z' }),
      fill('sell', 1, 85, { time: '2024-03-01T00:00:00Z' }),
    ];
    const ledger = await ledgerWith(fills);
    expect(pnls(ledger.results())).toEqual(['-5', '-5']);
    expect(streak(ledger)).toBe(2);
  });

  it('trap 18: are the same with ISO text, epoch seconds and epoch milliseconds', async () => {
    const fills = trips(-1, 3, -1, -1);
    const spelt = (spell: (ms: number) => string | number) => fills.map((each) => ({ ...each, time: spell(Number(each.time)) }));
    const spellings = [(ms: number) => ms, (ms: number) => ms / 1_000, (ms: number) => new Date(ms).toISOString(), String];
    const results = await Promise.all(spellings.map(async (spell) => (await ledgerWith(spelt(spell))).results()));
    for (const result of results) expect(result).toEqual(results[0]);
    expect(streak(await ledgerWith(spelt(spellings[2] ?? String)))).toBe(2);
  });

  it('trap 18: one small win ends the streak, and neither the losses of the last closes nor their sum forget them', async () => {
    const ledger = await ledgerWith(trips(-50, -60, 0.01, -70));
    expect(streak(ledger)).toBe(1);
    expect(ledger.lossesInLast(4)).toEqual({ losses: 3, closes: 4, complete: true });
    expect(ledger.lossSum(2 * 86_400_000)).toEqual({ sum: '180', losses: 3, complete: true });
  });

  it('count an order that is filled in parts once, by what it earned as a whole', async () => {
    const bought = fill('buy', 4, 100);
    const parts = [99, 98, 97].map((price) => fill('sell', 1, price, { orderId: 'exit' }));
    const ledger = await ledgerWith([bought, ...parts]);
    expect(ledger.results()).toHaveLength(3);
    expect(ledger.closes()).toMatchObject([{ ids: parts.map(({ id }) => id), quantity: '3', pnl: '-6', closedAtMs: parts[2]?.time }]);
    expect(streak(ledger)).toBe(1);
    ledger.record(fill('sell', 1, 120, { orderId: 'exit' }));
    expect(streak(ledger)).toBe(0);
  });

  it('join the parts of an order at its last one, and only in its own position', async () => {
    const other = { account: 'other', orderId: 'exit' };
    const ledger = await ledgerWith([
      fill('buy', 3, 100),
      fill('buy', 1, 100, { account: 'other' }),
      fill('sell', 1, 90, { orderId: 'exit', fee: 1, slippage: 2 }),
      fill('sell', 1, 105),
      fill('sell', 1, 80, other),
      fill('sell', 1, 95, { orderId: 'exit', fee: 1, slippage: 2 }),
    ]);
    expect(ledger.closes().map(({ pnl, fees, slippage, account }) => [account, pnl, fees, slippage])).toEqual([
      ['main', '5', '0', '0'],
      ['other', '-20', '0', '0'],
      ['main', '-21', '2', '4'],
    ]);
    expect(ledger.consecutiveLosses({ account: 'main' })).toEqual({ losses: 1, closes: 1, complete: true });
  });
  it.each([{ symbol: 'MSFT' }, { strategy: 's' }, { positionSide: 'short' as const }])(
    'do not join an order with one of %j',
    async (place) => {
      const parts = [{}, place].flatMap((each) => [fill('sell', 1, 100, each), fill('buy', 1, 110, { ...each, orderId: 'exit' })]);
      expect((await ledgerWith(parts)).closes()).toHaveLength(2);
    },
  );

  it('follow a correction', async () => {
    const [bought, sold] = trip(-1);
    if (bought === undefined || sold === undefined) throw new Error('no trip');
    const ledger = await ledgerWith([bought, sold]);
    ledger.record({ ...sold, price: 101, revision: 1 });
    expect(streak(ledger)).toBe(0);
  });

  it('are those of one strategy, account or symbol where asked', async () => {
    const ledger = await ledgerWith([...trip(-1, { strategy: 'a' }), ...trip(1, { strategy: 'b' }), ...trip(-1, { strategy: 'a' })]);
    expect(ledger.consecutiveLosses({ strategy: 'a' }).losses).toBe(2);
    expect(ledger.consecutiveLosses({ strategy: 'b' }).losses).toBe(0);
    expect(ledger.lossesInLast(9, { strategy: 'a' })).toEqual({ losses: 2, closes: 2, complete: true });
    expect(ledger.lossSum(2 * 86_400_000, { strategy: 'b' }).sum).toBe('0');
    expect(streak(ledger)).toBe(1);
  });
});

describe('losses in the last closes', () => {
  it('look no further back, and leave closes of zero out', async () => {
    const ledger = await ledgerWith(trips(-1, -1, 0, 5, -1));
    expect([1, 2, 3, 4, 9].map((closes) => ledger.lossesInLast(closes).losses)).toEqual([1, 1, 2, 3, 3]);
    expect(ledger.lossesInLast(9).closes).toBe(4);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuse %s closes', async (closes) => {
    const ledger = await ledgerWith([]);
    expect(() => ledger.lossesInLast(closes)).toThrow(/^closes = .*at least 1$/);
  });
});

describe('the sum of losses', () => {
  it('begins after the start of the window, and sets no gain against a loss', async () => {
    const clock = new ManualClock({ wallMs: NOON_MS + 60_000 });
    const ledger = await createLedger({ clock });
    const at = (time: number, pnl: number) => trip(pnl).map((each) => ledger.record({ ...each, time }));
    at(NOON_MS + 10_000, -1);
    at(NOON_MS + 20_000, -2.5);
    at(NOON_MS + 30_000, 100);
    at(NOON_MS + 40_000, -4);
    expect(ledger.lossSum(60_000)).toEqual({ sum: '7.5', losses: 3, complete: true });
    expect(ledger.lossSum(50_000)).toEqual({ sum: '6.5', losses: 2, complete: true });
    expect(ledger.lossSum(1)).toEqual({ sum: '0', losses: 0, complete: true });
  });

  it.each([0, Number.NaN, Infinity])('refuses a window of %s ms', async (windowMs) => {
    const ledger = await ledgerWith([]);
    expect(() => ledger.lossSum(windowMs)).toThrow(/^windowMs = .*at least 1$/);
  });
});

describe('what is no longer kept', () => {
  const spaced = (earned: readonly number[]): LedgerFill[] =>
    earned.flatMap((pnl, index) => trip(pnl).map((each) => ({ ...each, time: NOON_MS + index * 10_000 })));
  const options = { horizonMs: 0, keepResults: 2 };

  it('is the oldest, once it is settled', async () => {
    const ledger = await ledgerWith(spaced([-1, -2, -3, -4]), options);
    expect(pnls(ledger.results())).toEqual(['-2', '-3', '-4']);
    expect(pnls((await ledgerWith(spaced([-1, -2, -3, -4]), { ...options, horizonMs: 60_000 })).results())).toHaveLength(4);
  });

  it('is told where it may matter', async () => {
    const ledger = await ledgerWith(spaced([-1, -2, -3, -4]), options);
    expect(ledger.consecutiveLosses()).toEqual({ losses: 3, closes: 3, complete: false });
    expect(ledger.lossesInLast(3)).toEqual({ losses: 3, closes: 3, complete: true });
    expect(ledger.lossesInLast(4)).toEqual({ losses: 3, closes: 3, complete: false });
    const sinceDropped = 86_400_000;
    expect(ledger.lossSum(sinceDropped)).toEqual({ sum: '9', losses: 3, complete: true });
    expect(ledger.lossSum(sinceDropped + 1)).toEqual({ sum: '9', losses: 3, complete: false });
  });

  it('does not matter before the last gain', async () => {
    expect((await ledgerWith(spaced([-1, 1, -3, -4]), options)).consecutiveLosses()).toEqual({ losses: 2, closes: 2, complete: true });
    expect((await ledgerWith(spaced([1, -2, -3, -4]), options)).consecutiveLosses().complete).toBe(false);
  });

  it('matters up to its very moment, and in its own position alone', async () => {
    const ledger = await createLedger({ ...options, keepResults: 1, clock: aDayLater() });
    const other = trip(-1, { symbol: 'MSFT' });
    for (const each of [...spaced([-1, -2, -3]), ...other]) ledger.record(each);
    expect(ledger.lossesInLast(1, { symbol: 'AAPL' }).complete).toBe(true);
    expect(ledger.consecutiveLosses({ symbol: 'MSFT' }).complete).toBe(true);
    expect(ledger.consecutiveLosses().complete).toBe(false);
  });

  it('matters where the oldest that was looked at is of the same moment', async () => {
    const ledger = await ledgerWith([...[-1, -2].flatMap((pnl) => trip(pnl, { time: NOON_MS })), fill('buy', 1, 1)], {
      horizonMs: 0,
      keepResults: 1,
    });
    expect(ledger.lossesInLast(1)).toEqual({ losses: 1, closes: 1, complete: false });
  });
});
