/** Cases worked by hand, some with the figures of published examples of first in, first out. */
import { describe, expect, it } from 'vitest';
import { fill, ledgerWith, NOON_MS, pnls, told } from './support.js';

describe('published examples', () => {
  // Figures: https://revogain.com/fifo, "A stock trading gain example". The second sale spans two lots: 5.830538 + 6.943933 there.
  it('sells fractions of shares out of two lots', async () => {
    const ledger = await ledgerWith([
      fill('buy', '0.15778843', '633.76', { time: '2020-12-23T14:30:21Z' }),
      fill('buy', '0.07993605', '625.5', { time: '2020-12-23T14:45:22Z' }),
      fill('sell', '0.08424481', '712.21', { time: '2021-04-19T19:09:54Z' }),
      fill('sell', '0.15286659', '713.04', { time: '2021-04-19T19:10:52Z' }),
    ]);
    const [first, second] = ledger.results();
    expect(first?.pnl).toBe('6.6090053445');
    expect(Number(first?.pnl)).toBeCloseTo(6.609005, 6);
    expect(Number(second?.pnl)).toBeCloseTo(5.830538 + 6.943933, 5);
    expect(ledger.positions()).toMatchObject([{ quantity: '0.00061308' }]);
  });

  // Figures: a textbook exercise on queues, at https://tutorsglobe.com/question/determine-the-total-amount-of-your-capital-gain-or-loss-52642922.aspx
  it('tells the capital gain of three purchases and two sales', async () => {
    const ledger = await ledgerWith([
      fill('buy', 100, 10),
      fill('buy', 100, 30),
      fill('sell', 100, 20),
      fill('buy', 100, 50),
      fill('sell', 100, 30),
    ]);
    expect(pnls(ledger.results())).toEqual(['1000', '0']);
    expect(ledger.positions()).toMatchObject([{ quantity: '100' }]);
  });

  // Figures: EX 7-6 at https://accountingqanda.blogspot.com/2019/01/ex-7-6-perpetual-inventory-using-fifo.html: costs of 52,800,
  // 15,400 + 21,600 and 10,800 + 36,480, together 137,080; 440 left, worth 21,120. What was sold for is our own.
  it('costs what is sold as a perpetual inventory does', async () => {
    const sales = [1_200, 830, 1_000, 440];
    const ledger = await ledgerWith([
      fill('buy', 1_550, 44),
      fill('buy', 720, 45),
      fill('sell', 1_200, 50),
      fill('sell', 830, 50),
      fill('buy', 1_200, 48),
      fill('sell', 1_000, 50),
    ]);
    expect(ledger.positions()).toMatchObject([{ quantity: '440' }]);
    ledger.record(fill('sell', 440, 50));
    const costs = ledger.results().map(({ pnl }, index) => (sales[index] ?? 0) * 50 - Number(pnl));
    expect(costs).toEqual([52_800, 15_400 + 21_600, 10_800 + 36_480, 21_120]);
    expect(costs.slice(0, 3).reduce((sum, cost) => sum + cost)).toBe(137_080);
  });
});

describe('a position', () => {
  it('is closed out of three lots, the last one in part', async () => {
    const ledger = await ledgerWith([fill('buy', 100, 20), fill('buy', 20, 24), fill('buy', 200, 36), fill('sell', 150, 30)]);
    expect(pnls(ledger.results())).toEqual(['940']);
    expect(ledger.positions()).toMatchObject([{ quantity: '170' }]);
  });

  it('is closed in parts, oldest lot first', async () => {
    const ledger = await ledgerWith([
      fill('buy', 10, 100),
      fill('buy', 10, 110),
      fill('sell', 5, 120),
      fill('sell', 10, 120),
      fill('sell', 5, 120),
    ]);
    expect(pnls(ledger.results())).toEqual(['100', '150', '50']);
    expect(ledger.positions()).toEqual([]);
  });

  it('earns when short and the price falls', async () => {
    const ledger = await ledgerWith([fill('sell', 10, 100), fill('buy', 4, 90), fill('buy', 6, 105)]);
    expect(pnls(ledger.results())).toEqual(['40', '-30']);
  });

  it('flips through zero: closes what there was and opens the rest on the other side', async () => {
    const ledger = await ledgerWith([fill('buy', 10, 100, { fee: 1 }), fill('sell', 25, 110, { fee: 5 })]);
    expect(ledger.results()).toMatchObject([{ quantity: '10', pnl: '97', fees: '3' }]);
    expect(ledger.positions()).toMatchObject([{ quantity: '-15' }]);
    expect(told(ledger.record(fill('buy', 15, 110)))).toEqual(['-3']);
  });

  it('bears fees and slippage pro rata, to the last place', async () => {
    const ledger = await ledgerWith([fill('buy', 3, 10, { fee: 1, slippage: '0.3' })]);
    const shares = [1, 1, 1].map((quantity) => ledger.record(fill('sell', quantity, 10)));
    expect(shares.map(told)).toEqual([
      ['-0.433333333333333333333333333333'],
      ['-0.433333333333333333333333333334'],
      ['-0.433333333333333333333333333333'],
    ]);
    expect(ledger.results()[0]).toMatchObject({ fees: '0.333333333333333333333333333333', slippage: '0.1' });
  });

  it('is exact where binary fractions are not', async () => {
    const ledger = await ledgerWith([
      fill('buy', 0.1, 0.1),
      fill('buy', 0.2, 0.1),
      fill('sell', 0.3, 0.2),
      fill('sell', '1e-7', '0.3'),
      fill('buy', 1e-7, 0.1),
    ]);
    expect(pnls(ledger.results())).toEqual(['0.03', '0.00000002']);
  });

  it('takes a rebate as a gain, and multiplies contracts', async () => {
    const ledger = await ledgerWith([fill('buy', 2, 1.5, { multiplier: 100, fee: -0.5 }), fill('sell', 2, 0, { multiplier: 100, fee: 1 })]);
    expect(ledger.results()).toMatchObject([{ pnl: '-300.5', fees: '0.5', quantity: '2' }]);
  });

  it('is one for each account, symbol, strategy and side of a hedge', async () => {
    const places = [
      {},
      { account: 'other' },
      { symbol: 'MSFT' },
      { strategy: 'reversion' },
      { strategy: 'momentum' },
      { positionSide: 'long' as const },
      { positionSide: 'short' as const },
    ];
    const ledger = await ledgerWith(places.map((place) => fill('buy', 1, 10, place)));
    expect(ledger.results()).toEqual([]);
    expect(ledger.positions()).toHaveLength(places.length);
    for (const place of places) expect(told(ledger.record(fill('sell', 1, 11, place)))).toEqual(['1']);
    expect(ledger.results().map(({ strategy, positionSide, account, symbol }) => ({ account, symbol, strategy, positionSide }))).toEqual(
      places.map((place) => ({ account: 'main', symbol: 'AAPL', strategy: undefined, positionSide: undefined, ...place })),
    );
    expect(ledger.results({ strategy: 'reversion' })).toHaveLength(1);
    expect(ledger.results({ account: 'other' })).toHaveLength(1);
    expect(ledger.results({ symbol: 'MSFT' })).toHaveLength(1);
    expect(ledger.positions({ symbol: 'MSFT' })).toEqual([]);
  });

  it('lists the same whichever account came first', async () => {
    const [a, b] = [fill('buy', 1, 1, { account: 'a' }), fill('buy', 1, 1, { account: 'b' })];
    const accounts = async (fills: (typeof a)[]) => (await ledgerWith(fills)).positions().map(({ account }) => account);
    expect(await accounts([a, b])).toEqual(['a', 'b']);
    expect(await accounts([b, a])).toEqual(['a', 'b']);
  });

  it('lists everything there is to know of a result', async () => {
    const ledger = await ledgerWith([
      fill('buy', 2, 10, { positionSide: 'long', strategy: 's' }),
      fill('sell', 1, 12, { id: 'x', orderId: 'o', positionSide: 'long', strategy: 's', time: NOON_MS + 3_600_000, slippage: 0.25 }),
    ]);
    const rest = { account: 'main', symbol: 'AAPL', strategy: 's', positionSide: 'long', orderId: 'o', quantity: '1' };
    const money = { pnl: '1.75', fees: '0', slippage: '0.25', closedAtMs: NOON_MS + 3_600_000 };
    expect(ledger.results()).toEqual([{ id: 'x', ...rest, ...money }]);
    expect(ledger.closes()).toEqual([{ ids: ['x'], ...rest, ...money }]);
    expect(ledger.positions()).toEqual([{ account: 'main', symbol: 'AAPL', strategy: 's', positionSide: 'long', quantity: '1' }]);
  });
});

describe('a report', () => {
  it('that comes late takes its place by time, and changes what was told', async () => {
    const [first, second, sale] = [fill('buy', 1, 10), fill('buy', 1, 20), fill('sell', 1, 30)];
    const ledger = await ledgerWith([second]);
    expect(told(ledger.record(sale))).toEqual(['10']);
    const late = ledger.record(first);
    expect(late).toMatchObject({ status: 'recorded', realised: [{ id: sale.id, pnl: '20' }], withdrawn: [{ id: sale.id, pnl: '10' }] });
  });

  it('of the same millisecond takes its place by sequence, then by id', async () => {
    const time = NOON_MS;
    const fills = [
      fill('sell', 1, 100, { id: 'a', time, sequence: 2 }),
      fill('buy', 1, 20, { id: 'a2', time }),
      fill('buy', 1, 10, { id: 'a1', time, sequence: 1 }),
    ];
    expect((await ledgerWith(fills)).results()).toMatchObject([{ pnl: '80', sequence: 2 }]);
    const two = [fill('buy', 1, 10, { symbol: 'MSFT' }), fill('sell', 1, 9, { symbol: 'MSFT', time: NOON_MS + 60_000, sequence: 1 })];
    const both = await ledgerWith([...two, fill('buy', 1, 10), fill('sell', 1, 12, { time: NOON_MS + 60_000, sequence: 2 })]);
    expect(both.closes().map(({ symbol, sequence }) => [symbol, sequence])).toEqual([
      ['MSFT', 1],
      ['AAPL', 2],
    ]);
    const byId = fills.map((each) => ({ ...each, sequence: 0, id: { 20: 'b', 10: 'a', 100: 'c' }[Number(each.price)] ?? '' }));
    expect(pnls((await ledgerWith(byId)).results())).toEqual(['90']);
  });

  it('is booked once, and told apart from a contradiction', async () => {
    const [bought, sold] = [fill('buy', '1.0', 10), fill('sell', 1, '12')];
    const ledger = await ledgerWith([bought, sold]);
    expect(ledger.record({ ...bought, quantity: 1, price: '10.00', fee: 0 })).toEqual({ status: 'duplicate' });
    expect(ledger.record({ ...sold, price: 13 })).toMatchObject({ status: 'refused', refusal: { code: 'conflict', field: 'revision' } });
    expect(pnls(ledger.results())).toEqual(['2']);
    expect(ledger.refusals()).toMatchObject({
      count: 1,
      latest: { code: 'conflict', message: `revision = 0: must be above 0 where fill ${sold.id} differs from what is known` },
    });
  });

  it('corrects an earlier one, whichever comes first', async () => {
    const [bought, sold] = [fill('buy', 1, 10), fill('sell', 1, 12)];
    const ledger = await ledgerWith([bought, sold]);
    const corrected = ledger.record({ ...bought, price: 15, revision: 2 });
    expect(corrected).toMatchObject({ status: 'corrected', realised: [{ pnl: '-3' }], withdrawn: [{ pnl: '2' }] });
    expect(ledger.record({ ...bought, price: 11, revision: 1 })).toEqual({ status: 'superseded' });
    expect(ledger.record({ ...bought, price: 15, revision: 2 })).toEqual({ status: 'duplicate' });
    expect(pnls(ledger.results())).toEqual(['-3']);
  });

  it('may move a fill to another strategy', async () => {
    const [bought, sold] = [fill('buy', 1, 10, { strategy: 'a' }), fill('sell', 1, 12, { strategy: 'b' })];
    const ledger = await ledgerWith([bought, sold]);
    expect(told(ledger.record({ ...bought, strategy: 'b', revision: 1 }))).toEqual(['2']);
    expect(ledger.positions()).toEqual([]);
  });

  it('busts a fill, also one that is yet to come, and may bring it back', async () => {
    const [bought, sold] = [fill('buy', 1, 10), fill('sell', 1, 12)];
    const ledger = await ledgerWith([bought]);
    const bust = { id: sold.id, account: sold.account, symbol: sold.symbol, time: sold.time, revision: 1, busted: true as const };
    expect(ledger.record(bust)).toEqual({ status: 'busted', realised: [], withdrawn: [] });
    expect(ledger.record(sold)).toEqual({ status: 'superseded' });
    expect(ledger.record(bust)).toEqual({ status: 'duplicate' });
    expect(ledger.record({ ...sold, revision: 2 })).toMatchObject({ status: 'corrected', realised: [{ pnl: '2' }] });
    expect(ledger.record({ ...bust, revision: 3 })).toMatchObject({ status: 'busted', realised: [], withdrawn: [{ pnl: '2' }] });
    expect(ledger.positions()).toMatchObject([{ quantity: '1' }]);
  });
});

describe('the horizon', () => {
  it('takes a fill that is exactly as old as it, and refuses one that is a millisecond older', async () => {
    const ledger = await ledgerWith([fill('buy', 1, 10, { time: NOON_MS })], { horizonMs: 5_000 });
    expect(ledger.record(fill('buy', 1, 10, { time: NOON_MS - 5_000 })).status).toBe('recorded');
    const late = fill('buy', 1, 10, { time: NOON_MS - 5_001 });
    expect(ledger.record(late)).toMatchObject({ status: 'refused', refusal: { code: 'too_late', field: 'time' } });
    expect(ledger.refusals().latest?.message).toBe(
      `time = ${NOON_MS - 5_001}: must be at least ${NOON_MS - 5_000}: older fills are settled`,
    );
    expect(ledger.positions()).toMatchObject([{ quantity: '2' }]);
  });

  it('is one for each account and symbol, and does not move back when the newest fill is busted', async () => {
    const newest = fill('buy', 1, 10, { time: NOON_MS });
    const ledger = await ledgerWith([newest], { horizonMs: 5_000 });
    ledger.record({ id: newest.id, account: 'main', symbol: 'AAPL', time: NOON_MS, revision: 1, busted: true });
    const old = fill('buy', 1, 10, { time: NOON_MS - 5_001 });
    expect(ledger.record(old).status).toBe('refused');
    expect(ledger.record({ ...old, symbol: 'MSFT' }).status).toBe('recorded');
    expect(ledger.record({ ...old, account: 'other' }).status).toBe('recorded');
  });

  it('forgets busts and ids once they are settled', async () => {
    const bust = { id: 'gone', account: 'main', symbol: 'AAPL', time: NOON_MS, revision: 1, busted: true as const };
    const ledger = await ledgerWith([], { horizonMs: 5_000 });
    ledger.record(bust);
    ledger.record(fill('buy', 1, 10, { time: NOON_MS + 5_000 }));
    expect(ledger.record(bust)).toEqual({ status: 'duplicate' });
    expect(ledger.snapshot()).toContain('"gone"');
    ledger.record(fill('buy', 1, 10, { time: NOON_MS + 5_001 }));
    expect(ledger.record(bust)).toMatchObject({ status: 'refused', refusal: { code: 'too_late' } });
    expect(ledger.snapshot()).not.toContain('"gone"');
  });

  it('lets no stamp from the future settle the book', async () => {
    const ledger = await ledgerWith([], { maxAheadMs: 1_000 });
    const nowMs = NOON_MS + 86_400_000;
    expect(ledger.record(fill('buy', 1, 10, { time: nowMs + 1_001 }))).toMatchObject({
      status: 'refused',
      refusal: { code: 'too_far_ahead', field: 'time' },
    });
    expect(ledger.refusals().latest?.bound).toBe(`must be at most ${nowMs + 1_000}, 1000 ms ahead of the clock`);
    expect(ledger.record(fill('buy', 1, 10, { time: nowMs + 1_000 })).status).toBe('recorded');
  });
});
