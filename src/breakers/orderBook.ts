/** The orders of one strategy as they go out, and what the checks on orders make of them. */
import type { BreakerType, CheckedConfig } from './config.js';
import { judgeNotional, notionalOf } from './notional.js';
import { likenessOf, type OrderRecord, readOrder } from './order.js';
import { judgeOrderRate } from './orderRate.js';
import { judgeOrdersPerIntent } from './ordersPerIntent.js';
import { judgeCollar } from './priceCollar.js';
import { judgeRepetition, RepetitionBook } from './repeatedOrders.js';
import type { CheckResult } from './result.js';
import { WindowSum } from './windowSum.js';

interface Found {
  readonly type: BreakerType;
  readonly result: CheckResult;
}

const sumOver = (options: { readonly windowMs: number } | undefined): WindowSum => new WindowSum(options?.windowMs ?? 1);

export class OrderBook {
  readonly #config: CheckedConfig;
  readonly #rate: WindowSum;
  readonly #alike: RepetitionBook;
  readonly #out: WindowSum;
  readonly #intents: WindowSum;
  readonly #notional: WindowSum;

  constructor(config: CheckedConfig) {
    this.#config = config;
    this.#rate = sumOver(config.orderRate);
    this.#alike = new RepetitionBook(config.repeatedOrders?.windowMs ?? 1);
    this.#out = sumOver(config.ordersPerIntent);
    this.#intents = sumOver(config.ordersPerIntent);
    this.#notional = sumOver(config.notional);
  }

  intent(count: number, nowMs: number): void {
    if (this.#config.ordersPerIntent === undefined) return;
    this.#intents.sum(nowMs);
    this.#intents.add(nowMs, count);
  }

  /** Counts an order that is about to go out. One that reduces or cancels is not looked at. */
  take(given: unknown, nowMs: number, referenceFor: (order: OrderRecord) => number | undefined): readonly Found[] {
    if (isExit(given)) return [];
    const order = readOrder(given);
    if ('triggered' in order) return [{ type: 'invalid_data', result: order }];
    return [...this.#counted(order, nowMs), ...this.#priced(order, nowMs, referenceFor)];
  }

  clear(): void {
    for (const book of [this.#rate, this.#alike, this.#out, this.#intents, this.#notional]) book.clear();
  }

  #counted(order: OrderRecord, nowMs: number): Found[] {
    const { orderRate, repeatedOrders, ordersPerIntent } = this.#config;
    const found: Found[] = [];
    if (orderRate !== undefined) {
      this.#rate.add(nowMs, 1);
      found.push({ type: 'order_rate', result: judgeOrderRate(this.#rate.sum(nowMs), orderRate) });
    }
    if (repeatedOrders !== undefined) {
      found.push({ type: 'repeated_orders', result: judgeRepetition(this.#alike.add(likenessOf(order), nowMs), repeatedOrders) });
    }
    if (ordersPerIntent !== undefined) {
      this.#out.add(nowMs, 1);
      const result = judgeOrdersPerIntent(this.#out.sum(nowMs), this.#intents.sum(nowMs), ordersPerIntent);
      found.push({ type: 'orders_per_intent', result });
    }
    return found;
  }

  #priced(order: OrderRecord, nowMs: number, referenceFor: (order: OrderRecord) => number | undefined): Found[] {
    const { notional, priceCollar } = this.#config;
    const found: Found[] = [];
    if (notional !== undefined) {
      const worth = notionalOf(order);
      if (typeof worth !== 'number') return [{ type: 'invalid_data', result: worth }];
      this.#notional.add(nowMs, worth);
      found.push({ type: 'notional', result: judgeNotional(worth, this.#notional.sum(nowMs), notional) });
    }
    if (priceCollar !== undefined) {
      found.push({ type: 'price_collar', result: judgeCollar(order.price, referenceFor(order), priceCollar) });
    }
    return found;
  }
}

function isExit(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'intent' in given && (given.intent === 'reduce' || given.intent === 'cancel');
}
