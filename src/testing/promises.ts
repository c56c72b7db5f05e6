/** What a user's own strategy is held to, beside the promises that every run is judged by. */
import type { VenueEvent } from '../brokers/paper/index.js';

type OrderRequestEvent = Extract<VenueEvent, { kind: 'request' }>;
type FillEvent = Extract<VenueEvent, { kind: 'fill' }>;

/** What became of a run, from the venue's own books. */
export interface StrategyRun {
  /** Orders of the strategy that arrived at the venue, in order. */
  readonly orders: readonly OrderRequestEvent[];
  /** Fills of the strategy's orders, with the position before and after each. */
  readonly fills: readonly FillEvent[];
  readonly events: readonly VenueEvent[];
}

export interface SafetyPromise {
  readonly name: string;
  /** When and how it was broken; undefined: it held. */
  readonly broken: (run: StrategyRun) => { readonly atMs: number; readonly detail: string } | undefined;
}

/** No fill of the strategy ever leaves more than so much of a symbol, long or short. */
export function maxPosition(quantity: number): SafetyPromise {
  return {
    name: 'max-position',
    broken: ({ fills }) => {
      const beyond = fills.find(({ positionAfter }) => Math.abs(positionAfter) > quantity);
      if (beyond === undefined) return undefined;
      return {
        atMs: beyond.atMs,
        detail: `the position of ${beyond.symbol} is ${beyond.positionAfter}, and must never be beyond ${quantity}`,
      };
    },
  };
}

/** No more than `orders` orders of the strategy arrive within any `windowMs`. */
export function maxOrderRate(orders: number, windowMs: number): SafetyPromise {
  return {
    name: 'max-order-rate',
    broken: (run) => {
      const submits = run.orders.filter(({ what }) => what === 'submit');
      const beyond = submits.find((order, index) => order.atMs - (submits[index - orders]?.atMs ?? -Infinity) < windowMs);
      return beyond === undefined ? undefined : { atMs: beyond.atMs, detail: `more than ${orders} orders within ${windowMs} ms` };
    },
  };
}
