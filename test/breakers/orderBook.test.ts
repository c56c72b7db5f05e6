/** What the orders of a strategy are counted as while they go out. */
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/breakers/config.js';
import { OrderBook } from '../../src/breakers/orderBook.js';
import { trips } from '../../src/breakers/result.js';

const order = { symbol: 'BTC', side: 'buy', quantity: 2, price: 10 } as const;
const ALL = {
  orderRate: { max: 3, windowMs: 10 },
  repeatedOrders: { max: 2, windowMs: 10 },
  ordersPerIntent: { max: 2, windowMs: 10 },
  notional: { perOrder: 30, perWindow: 50, windowMs: 10 },
  priceCollar: { maxDeviation: 0.5 },
} as const;

const bookOf = (config: object) => new OrderBook(checkConfig(config));
const noReference = () => undefined;
const nearTen = () => 10;
const figures = (book: OrderBook, nowMs: number, given: unknown = order) =>
  book.take(given, nowMs, nearTen).map(({ type, result }) => [type, result.details['value']]);

describe('the book of orders', () => {
  it('finds nothing where nothing is limited', () => {
    const book = bookOf({});
    book.intent(1, 0);
    expect(book.take(order, 0, noReference)).toEqual([]);
  });

  it('counts an order in everything that is limited, and forgets it with each window', () => {
    const book = bookOf(ALL);
    book.intent(1, 0);
    const first = [
      ['order_rate', 1],
      ['repeated_orders', 1],
      ['orders_per_intent', 1],
      ['notional', 20],
      ['price_collar', 0],
    ];
    expect(figures(book, 0)).toEqual(first);
    const second = figures(book, 5, { ...order, price: 11 });
    expect(second).toEqual([
      ['order_rate', 2],
      ['repeated_orders', 1],
      ['orders_per_intent', 2],
      ['notional', 42],
      ['price_collar', 0.1],
    ]);
    expect(figures(book, 30)).toEqual(first);
  });

  it('measures orders by the intents of the same window', () => {
    const book = bookOf({ ordersPerIntent: { max: 1, windowMs: 10 } });
    const counted = (nowMs: number) =>
      book.take(order, nowMs, noReference).map(({ result }) => [result.triggered, result.details['intents']]);
    expect(counted(0)).toEqual([[true, 0]]);
    book.intent(3, 1);
    expect(counted(1)).toEqual([[false, 3]]);
    expect(counted(11)).toEqual([[true, 0]]);
  });

  it('starts over when it is cleared', () => {
    const book = bookOf(ALL);
    book.intent(9, 0);
    for (let count = 0; count < 3; count += 1) book.take(order, 0, nearTen);
    book.clear();
    const [rate, alike, out, notional] = book.take(order, 0, nearTen);
    expect([rate, alike, notional].map((found) => found?.result.details['value'])).toEqual([1, 1, 20]);
    expect(out?.result).toMatchObject({ triggered: true, details: { value: 1, intents: 0 } });
  });

  it('looks at no order that takes risk away, however it is written', () => {
    const book = bookOf(ALL);
    for (const intent of ['reduce', 'cancel']) {
      expect(book.take({ ...order, intent }, 0, nearTen)).toEqual([]);
      expect(book.take({ intent }, 0, nearTen)).toEqual([]);
    }
    expect(figures(book, 0)[0]).toEqual(['order_rate', 1]);
    for (const intent of ['increase', 'exit', '', undefined]) expect(book.take({ ...order, intent }, 0, nearTen)).not.toEqual([]);
  });

  it('finds invalid data in what is no order, and in an order without a price where one is needed', () => {
    const book = bookOf(ALL);
    for (const none of [undefined, null, 'reduce', 3])
      expect(book.take(none, 0, nearTen)).toEqual([
        { type: 'invalid_data', result: trips('quantity_invalid', 'there is no order where one was recorded') },
      ]);
    const { price: _, ...market } = order;
    expect(book.take(market, 0, nearTen).slice(3)).toEqual([
      { type: 'invalid_data', result: trips('price_missing', 'the price of the order is missing') },
    ]);
    const collar = bookOf({ priceCollar: ALL.priceCollar });
    expect(collar.take(order, 0, noReference)).toMatchObject([{ type: 'price_collar', result: { reasonCode: 'collar_no_reference' } }]);
    expect(collar.take(market, 0, nearTen)).toMatchObject([{ type: 'price_collar', result: { reasonCode: 'price_missing' } }]);
  });
});
