/** What an exit does next: the pure decision. */
import { describe, expect, it } from 'vitest';
import type { BrokerCapabilities, Position, WorkingOrder } from '../../src/broker/broker.js';
import { legKey } from '../../src/emergencyExit/book.js';
import { type Leg, newLeg, withGivenUp, withReading, withReport, withSent } from '../../src/emergencyExit/legs.js';
import { type ExitStep, type ExitView, mayCloseNow, planExit } from '../../src/emergencyExit/plan.js';

const CAPABILITIES: BrokerCapabilities = { reduceOnly: 'enforced', clientOrderIds: 'forever', readLagMs: 0, minQuantity: () => 1 };
const LONG: Position = { symbol: 'A', positionSide: 'net', quantity: 10, markPrice: 100 };
const RESTING: WorkingOrder = {
  orderId: 'o1',
  symbol: 'A',
  positionSide: 'net',
  side: 'buy',
  type: 'limit',
  quantity: 1,
  filledQuantity: 0,
  reduceOnly: false,
};
const STOP: WorkingOrder = { ...RESTING, orderId: 'o2', side: 'sell', type: 'stop', quantity: 10, reduceOnly: true };

function view(
  change: Partial<ExitView> & {
    readonly positions?: readonly Position[];
    readonly orders?: readonly WorkingOrder[];
    readonly sentMs?: number;
  } = {},
): ExitView {
  const { positions = [LONG], orders = [], sentMs = 900, ...rest } = change;
  return {
    nowMs: 1_000,
    book: { positions, orders, sentMs, positionsSentMs: sentMs, receivedMs: sentMs + 10 },
    legs: new Map(),
    capabilities: CAPABILITIES,
    closingAllowed: true,
    settleMs: 250,
    doubtMs: 2_000,
    ...rest,
  };
}

const done = (steps: readonly ExitStep[]) => steps.map((step) => step.do);
const legs = (...all: readonly Leg[]) => new Map(all.map((leg) => [leg.key, leg]));
const sent = (): Leg =>
  withSent(newLeg('A', 'net'), { number: 1, clientOrderId: 'c1', side: 'sell', quantity: 10, sentMs: 500 }, 10, 2_000);

describe('planExit', () => {
  it('S4: a long is sold and a short is bought back, in its own size', () => {
    expect(planExit(view())).toMatchObject([{ do: 'close', side: 'sell', quantity: 10, reduceOnly: true }]);
    expect(planExit(view({ positions: [{ ...LONG, quantity: -4 }] }))).toMatchObject([{ do: 'close', side: 'buy', quantity: 4 }]);
  });

  it('the largest exposure comes first', () => {
    const positions = [LONG, { ...LONG, symbol: 'B', markPrice: 900 }, { ...LONG, symbol: 'C', quantity: -20 }];
    const symbols = planExit(view({ positions })).map((step) => (step.do === 'close' ? step.leg.symbol : ''));
    expect(symbols).toEqual(['B', 'C', 'A']);
  });

  it('S4: a position whose symbol has a working order is closed only after that is cancelled and the book was read again', () => {
    expect(done(planExit(view({ orders: [RESTING] })))).toEqual(['cancel']);
  });

  it('S4: a protective stop goes with the close of its own position; an orphan is cancelled', () => {
    expect(planExit(view({ orders: [STOP] }))).toMatchObject([{ do: 'close', stops: [{ orderId: 'o2' }] }]);
    expect(done(planExit(view({ positions: [], orders: [STOP] })))).toEqual(['cancel']);
  });

  it('S4: while a close is outstanding no second one is sent, whatever the reading shows', () => {
    expect(done(planExit(view({ legs: legs(sent()) })))).toEqual([]);
  });

  it('S4: a reading asked for before the last fill was known is not acted on', () => {
    const filled = withReport(sent(), { orderId: 'x', status: 'filled', filledQuantity: 4 }, 950, 0);
    expect(done(planExit(view({ legs: legs({ ...filled, expectedQuantity: 10 }), sentMs: 949 })))).toEqual([]);
    expect(done(planExit(view({ legs: legs({ ...filled, expectedQuantity: 10 }), sentMs: 951 })))).toEqual(['close']);
  });

  it('S4: a reading that our own fills do not explain must be seen to stand before it is acted on', () => {
    const filled = withReport(sent(), { orderId: 'x', status: 'filled', filledQuantity: 10 }, 600, 0);
    const stale = withReading(filled, 10, 700);
    expect(done(planExit(view({ legs: legs(stale), sentMs: 900 })))).toEqual([]);
    expect(done(planExit(view({ legs: legs(stale), sentMs: 2_701 })))).toEqual(['close']);
  });

  it('S4: a reading from before our fill is doubted also when another one has shown the fill already', () => {
    const filled = withReport(sent(), { orderId: 'x', status: 'filled', filledQuantity: 10 }, 600, 0);
    const stale = withReading(withReading(filled, 0, 650), 10, 700);
    expect(done(planExit(view({ legs: legs(stale), sentMs: 1_100 })))).toEqual([]);
    // Long after our fill it is somebody else's doing, and waits for less.
    const late = withReading(withReading(filled, 0, 650), 10, 2_700);
    expect(done(planExit(view({ legs: legs(late), sentMs: 2_949 })))).toEqual([]);
    expect(done(planExit(view({ legs: legs(late), sentMs: 2_950 })))).toEqual(['close']);
  });

  it('S4: while nobody knows what the last close filled, a reading that may lag by more than the venue says is not acted on', () => {
    const gone = withReading(withGivenUp(sent(), 600), 10, 700);
    expect(done(planExit(view({ legs: legs(gone), sentMs: 2_599 })))).toEqual([]);
    expect(done(planExit(view({ legs: legs(gone), sentMs: 2_600 })))).toEqual(['close']);
  });

  it('S5: without a reading nothing is cancelled or closed; only questions go on', () => {
    const { book: _none, ...rest } = view({
      legs: legs({ ...sent(), last: { ...(sent().last as NonNullable<Leg['last']>), fate: { kind: 'working', nextQueryMs: 0 } } }),
    });
    expect(done(planExit({ ...rest, book: undefined }))).toEqual(['query']);
  });

  it('what is too small to close is left alone', () => {
    expect(planExit(view({ positions: [{ ...LONG, quantity: 0.5 }] }))).toEqual([]);
  });

  it('a venue that rejects the flag gets orders without it, and so does a hedged position', () => {
    expect(planExit(view({ capabilities: { ...CAPABILITIES, reduceOnly: 'rejected' } }))).toMatchObject([{ reduceOnly: false }]);
    const hedged: Position = { ...LONG, positionSide: 'long' };
    expect(planExit(view({ positions: [hedged] }))).toMatchObject([{ reduceOnly: false, leg: { key: legKey(hedged) } }]);
  });
});

describe('mayCloseNow', () => {
  const silent = { haltedMs: 100, horizonMs: 5_000, silentHolders: ['strategy-1'] };

  it('S4: closes wait for holders that may still have orders on the way', () => {
    expect(mayCloseNow(silent, CAPABILITIES, 0, 250, 249)).toBe(false);
    expect(mayCloseNow({ ...silent, silentHolders: [] }, CAPABILITIES, 0, 250, 1)).toBe(true);
  });

  it('S10: where the venue caps closes they wait no longer than the grace, elsewhere until the horizon', () => {
    expect(mayCloseNow(silent, CAPABILITIES, 0, 250, 250)).toBe(true);
    const helpless = { ...CAPABILITIES, reduceOnly: 'rejected' } as const;
    expect(mayCloseNow(silent, helpless, 0, 250, 4_999)).toBe(false);
    expect(mayCloseNow(silent, helpless, 0, 250, 5_000)).toBe(true);
  });
});
