/** What holds for the venue's books under any sequence of commands. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VenueEvent, VenueSwitchesPatch } from '../../src/brokers/paper/wire.js';
import type { Bar } from '../../src/venue/bars.js';
import { positionKey } from '../../src/venue/engine/state.js';
import { toUnits } from '../../src/venue/engine/units.js';
import { fcSeed } from '../support/seed.js';
import { EngineDriver, signedUnits } from './engineDriver.js';

const RUNS = { seed: fcSeed, numRuns: 300 };

const bars: readonly Bar[] = Array.from({ length: 40 }, (_, index) => {
  const close = 100 + 20 * Math.sin(index);
  return { openMs: index * 60_000, open: close + 1, high: close + 6, low: close - 6, close, volume: 1 };
});

const symbolArb = fc.constantFrom('AAPL', 'AAPL-2');
const orderArb = fc.record({
  what: fc.constant('submit' as const),
  symbol: symbolArb,
  side: fc.constantFrom('buy' as const, 'sell' as const),
  hedgeSide: fc.constantFrom('long' as const, 'short' as const),
  type: fc.constantFrom('market' as const, 'limit' as const, 'stop' as const),
  quantity: fc.integer({ min: 1, max: 500_000_000 }).map((units) => units / 100_000_000),
  reduceOnly: fc.boolean(),
  price: fc.integer({ min: 70, max: 130 }),
  clientOrderId: fc.option(
    fc.integer({ min: 1, max: 5 }).map((n) => `c${n}`),
    { nil: undefined },
  ),
});
const actionArb = fc.oneof(
  { weight: 6, arbitrary: orderArb },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('cancel' as const), nth: fc.integer({ min: 1, max: 12 }), symbol: symbolArb }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('wait' as const, 'stall' as const), ms: fc.integer({ min: 0, max: 200 }) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('step' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('frozen' as const), frozen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('closed' as const), closed: fc.boolean() }) },
);
type Action = typeof actionArb extends fc.Arbitrary<infer A> ? A : never;
const actionsArb = fc.array(actionArb, { maxLength: 40 });

const switchesArb: fc.Arbitrary<VenueSwitchesPatch> = fc.record({
  latencyMs: fc.constantFrom(0, 0, 30),
  executionDelayMs: fc.constantFrom(0, 0, 50),
  partialFills: fc.record({
    slices: fc.integer({ min: 1, max: 4 }),
    intervalMs: fc.constantFrom(0, 40),
    endAfter: fc.constantFrom(null, 2),
  }),
  closedMarket: fc.constant({ symbols: [], orders: 'queue' as const }),
});

function play(actions: readonly Action[], switches: VenueSwitchesPatch): EngineDriver {
  const driver = new EngineDriver(switches, bars);
  const hedged = switches.positionMode === 'hedge';
  for (const action of actions) {
    if (action.what === 'submit') {
      const { what: _what, hedgeSide, price, clientOrderId, ...order } = action;
      driver.submit({
        ...order,
        positionSide: hedged ? hedgeSide : 'net',
        reduceOnly: !hedged && order.reduceOnly,
        ...(clientOrderId === undefined ? {} : { clientOrderId }),
        ...(order.type === 'limit' ? { limitPrice: price } : {}),
        ...(order.type === 'stop' ? { stopPrice: price } : {}),
      });
    } else if (action.what === 'cancel')
      driver.send({ kind: 'cancel', cancel: { account: 'a', symbol: action.symbol, orderId: `o${action.nth}` } });
    else if (action.what === 'wait') driver.wait(action.ms);
    else if (action.what === 'stall') driver.stall(action.ms);
    else if (action.what === 'frozen') driver.patch({ frozen: action.frozen });
    else if (action.what === 'closed') driver.patch({ closedMarket: { symbols: action.closed ? ['AAPL'] : [], orders: 'queue' } });
    else if (driver.state.replay.index < bars.length - 1 && !driver.state.switches.frozen) driver.step();
  }
  return driver;
}

function fillsOf(driver: EngineDriver) {
  return driver.events('fill');
}

function forAll(fixed: VenueSwitchesPatch, judge: (driver: EngineDriver) => void): void {
  fc.assert(
    fc.property(actionsArb, switchesArb, (actions, switches) => judge(play(actions, { ...switches, ...fixed }))),
    RUNS,
  );
}

/** Event by event, so that the state at any moment can be told from the record alone. */
function positionsFromRecord(events: readonly VenueEvent[], untilMs = Infinity): Map<string, number> {
  const positions = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'fill' || event.atMs > untilMs) continue;
    const key = positionKey(event.symbol, event.positionSide);
    positions.set(key, (positions.get(key) ?? 0) + signedUnits(event));
  }
  for (const [key, units] of positions) if (units === 0) positions.delete(key);
  return positions;
}

describe('the books', () => {
  it('conserve: every position is the sum of its signed fills, and each fill says so', () => {
    forAll({}, (driver) => {
      const held = new Map([...(driver.state.accounts.get('a')?.positions ?? [])].map(([key, { units }]) => [key, units]));
      expect(held).toEqual(positionsFromRecord(driver.state.events));
      for (const fill of fillsOf(driver)) {
        expect(toUnits(fill.positionAfter) - toUnits(fill.positionBefore)).toBe(signedUnits(fill));
      }
    });
  });

  it('fill no order beyond its quantity, and none after its end', () => {
    forAll({}, (driver) => {
      const filled = new Map<string, number>();
      const ended = new Set<string>();
      const quantities = new Map(driver.events('accepted').map(({ orderId, quantity }) => [orderId, toUnits(quantity)]));
      for (const event of driver.state.events) {
        if (event.kind === 'fill') {
          expect(ended.has(event.orderId)).toBe(false);
          filled.set(event.orderId, (filled.get(event.orderId) ?? 0) + toUnits(event.quantity));
          expect(filled.get(event.orderId)).toBeLessThanOrEqual(quantities.get(event.orderId) ?? 0);
        }
        if (event.kind === 'canceled' || event.kind === 'expired') ended.add(event.orderId);
      }
    });
  });

  it('number events without a gap, in time', () => {
    forAll({}, (driver) => {
      expect(driver.state.events.map(({ seq }) => seq)).toEqual(driver.state.events.map((_, index) => index + 1));
      const times = driver.state.events.map(({ atMs }) => atMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });
  });
});

describe('reduce-only', () => {
  it('S4: enforced, never increases and never flips, whatever races', () => {
    forAll({ reduceOnly: 'enforced' }, (driver) => {
      for (const fill of fillsOf(driver).filter(({ reduceOnly }) => reduceOnly)) {
        expect(Math.abs(fill.positionAfter)).toBeLessThan(Math.abs(fill.positionBefore));
        expect(fill.positionAfter * fill.positionBefore).toBeGreaterThanOrEqual(0);
      }
    });
  });

  it('ignored, does flip: such a venue can be built here', () => {
    const driver = new EngineDriver({ reduceOnly: 'ignored' });
    driver.seed('AAPL', 1);
    driver.submit({ side: 'sell', quantity: 2, reduceOnly: true });
    expect(driver.position()).toBe(-1);
  });

  it('in hedge mode no long falls below zero and no short rises above it', () => {
    forAll({ positionMode: 'hedge' }, (driver) => {
      for (const fill of fillsOf(driver)) {
        const sign = fill.positionSide === 'long' ? 1 : -1;
        expect(sign * fill.positionAfter).toBeGreaterThanOrEqual(0);
      }
    });
  });
});

describe('a frozen venue', () => {
  it('accepts, fills and answers nothing while frozen', () => {
    forAll({}, (driver) => {
      let frozen = false;
      for (const event of driver.state.events) {
        if (event.kind === 'switched') frozen = event.frozen;
        else if (frozen) expect(event.kind).toBe('request');
      }
    });
  });

  it('lets every order that arrived meanwhile take effect at the thaw', () => {
    forAll({ loseOrders: {} }, (driver) => {
      driver.patch({ frozen: false });
      driver.wait(1_000);
      const submits = driver.events('request').filter(({ what }) => what === 'submit');
      const decided = new Set([...driver.events('accepted'), ...driver.events('rejected')].map(({ requestId }) => requestId));
      expect(submits.filter(({ requestId }) => !decided.has(requestId))).toEqual([]);
    });
  });
});

describe('order expiry', () => {
  it('S5: lets no order fill once it is older than the venue keeps orders, frozen or not', () => {
    forAll({ orderExpiryMs: 60 }, (driver) => {
      const requested = new Map(driver.events('request').map(({ requestId, atMs }) => [requestId, atMs]));
      const bornMs = new Map(driver.events('accepted').map(({ orderId, requestId }) => [orderId, requested.get(requestId) ?? 0]));
      for (const fill of fillsOf(driver)) expect(fill.atMs - (bornMs.get(fill.orderId) ?? 0)).toBeLessThan(60);
    });
  });
});

describe('stale reads', () => {
  it('answer with the book exactly as it was', () => {
    fc.assert(
      fc.property(actionsArb, switchesArb, fc.integer({ min: 1, max: 400 }), (actions, switches, staleReadsMs) => {
        const driver = play(actions, switches);
        driver.patch({ frozen: false, staleReadsMs, readLatencyMs: 0 });
        const answer = driver.answer(driver.send({ kind: 'positions', account: 'a' }));
        const answered = new Map(
          (answer.kind === 'positions' ? answer.positions : []).map((held) => [
            positionKey(held.symbol, held.positionSide),
            toUnits(held.quantity),
          ]),
        );
        expect(answered).toEqual(positionsFromRecord(driver.state.events, driver.nowMs - staleReadsMs));
      }),
      RUNS,
    );
  });
});

describe('client order ids', () => {
  it('forever: no id is accepted twice; while_open: none while an order bears it; never: any', () => {
    for (const clientOrderIds of ['forever', 'while_open', 'never'] as const) {
      let duplicates = 0;
      forAll({ clientOrderIds }, (driver) => {
        const bearers = new Map<string, string>();
        for (const event of driver.state.events) {
          if (event.kind === 'accepted' && event.clientOrderId !== undefined) {
            if (bearers.has(event.clientOrderId)) duplicates += 1;
            bearers.set(event.clientOrderId, event.orderId);
          }
          const ends =
            event.kind === 'canceled' || event.kind === 'expired' || (event.kind === 'fill' && isLast(driver, event.seq, event.orderId));
          if (ends && clientOrderIds === 'while_open' && event.clientOrderId !== undefined) {
            if (bearers.get(event.clientOrderId) === event.orderId) bearers.delete(event.clientOrderId);
          }
        }
      });
      if (clientOrderIds === 'never') expect(duplicates).toBeGreaterThan(0);
      else expect(duplicates).toBe(0);
    }
  });
});

function isLast(driver: EngineDriver, seq: number, orderId: string): boolean {
  const order = driver.state.accounts.get('a')?.orders.get(orderId);
  return order?.status === 'filled' && fillsOf(driver).findLast((fill) => fill.orderId === orderId)?.seq === seq;
}
