/** The order breakers of a stream against the checks over a list: the same answer after every order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkConfig } from '../../src/breakers/config.js';
import { drawdown } from '../../src/breakers/drawdown.js';
import { notional } from '../../src/breakers/notional.js';
import type { TimedOrder } from '../../src/breakers/order.js';
import { OrderBook } from '../../src/breakers/orderBook.js';
import { orderRate } from '../../src/breakers/orderRate.js';
import { ordersPerIntent } from '../../src/breakers/ordersPerIntent.js';
import { repeatedOrders } from '../../src/breakers/repeatedOrders.js';
import { fcSeed } from '../support/seed.js';
import { scene } from './support.js';

const WINDOW_MS = 100;
const LIMITS = {
  orderRate: { max: 4, windowMs: WINDOW_MS },
  repeatedOrders: { max: 2, windowMs: WINDOW_MS },
  ordersPerIntent: { max: 1, allowance: 1, windowMs: WINDOW_MS },
  notional: { perOrder: 5_000, perWindow: 12_000, windowMs: WINDOW_MS },
} as const;

const step = fc.record({
  afterMs: fc.constantFrom(0, 1, 30, 99, 100, 101),
  intents: fc.constantFrom(0, 0, 1, 2),
  symbol: fc.constantFrom('AAPL', 'MSFT'),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  quantity: fc.constantFrom(10, 20, 60),
  price: fc.constantFrom(100, 100.5),
  intent: fc.constantFrom('increase' as const, 'increase' as const, 'increase' as const, 'reduce' as const),
});

it('rate, repetition, intents and notional: as the list', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const book = new OrderBook(checkConfig(LIMITS));
      const orders: TimedOrder[] = [];
      const intents: { atMs: number; count: number }[] = [];
      let nowMs = 1_000;
      for (const { afterMs, intents: count, ...order } of steps) {
        nowMs += afterMs;
        if (count > 0) book.intent(count, nowMs);
        intents.push({ atMs: nowMs, count });
        const found = book.take(order, nowMs, () => undefined);
        if (order.intent === 'reduce') {
          expect(found).toEqual([]);
          continue;
        }
        orders.push({ ...order, atMs: nowMs });
        const isRecent = ({ atMs }: { readonly atMs: number }): boolean => atMs > nowMs - WINDOW_MS;
        const counts = {
          orders: orders.filter(isRecent).length,
          intents: intents.filter(isRecent).reduce((sum, one) => sum + one.count, 0),
        };
        expect(Object.fromEntries(found.map(({ type, result }) => [type, result]))).toEqual({
          order_rate: orderRate(orders, nowMs, LIMITS.orderRate),
          repeated_orders: repeatedOrders(orders, nowMs, LIMITS.repeatedOrders),
          orders_per_intent: ordersPerIntent(counts, LIMITS.ordersPerIntent),
          notional: notional(orders, nowMs, LIMITS.notional),
        });
      }
    }),
    { seed: fcSeed, numRuns: 400 },
  );
});

it('drawdown: as the list', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 }), (equities) => {
      const options = { maxFraction: 0.5 };
      const { breakers } = scene({ drawdown: options });
      const trips = equities.map((equity, index) => {
        breakers.recordEquity(equity);
        return drawdown(equities.slice(0, index + 1), options).triggered;
      });
      expect(breakers.state().status).toBe(trips.includes(true) ? 'tripped' : 'closed');
    }),
    { seed: fcSeed, numRuns: 300 },
  );
});
