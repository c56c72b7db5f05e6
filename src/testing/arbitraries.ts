/** fast-check arbitraries for what a trading system meets: fault schedules, market data, fills and orders. */
import type fc from 'fast-check';
import type { OrderRequest } from '../broker/broker.js';
import { seededRandom } from '../random.js';
import { drawSchedule } from '../simulation/faults/draw.js';
import type { Fault, Schedule } from '../simulation/faults/schedule.js';
import type { Bar } from '../venue/bars.js';
import { randomWalk } from './marketData.js';

export interface SafetyArbitraries {
  /** Whole runs. Shrinks by leaving out faults, one by one. */
  readonly schedule: () => fc.Arbitrary<Schedule>;
  /** Bars of a walk; with `gaps`, some are missing. */
  readonly bars: (options?: { readonly maxLength?: number; readonly gaps?: boolean }) => fc.Arbitrary<readonly Bar[]>;
  /** The parts in which an order of so much fills: at most all of it. */
  readonly fills: (quantity: number) => fc.Arbitrary<readonly number[]>;
  /** Orders with ids of their own. */
  readonly orders: (options: {
    readonly symbols: readonly string[];
    readonly maxQuantity: number;
  }) => fc.Arbitrary<readonly OrderRequest[]>;
}

/** `check`: the fast-check module of your own tests. */
export function safetyArbitraries(check: typeof fc): SafetyArbitraries {
  const seed = check.nat({ max: 2 ** 31 - 1 });
  return {
    schedule: () =>
      seed
        .map((drawn) => drawSchedule(drawn))
        .chain((schedule) => check.subarray<Fault>([...schedule.faults]).map((faults) => ({ ...schedule, faults }))),
    bars: ({ maxLength = 120, gaps = false } = {}) =>
      check.tuple(seed, check.integer({ min: 1, max: maxLength })).chain(([drawn, length]) => {
        const walk = [...randomWalk(seededRandom(drawn), length)];
        return gaps ? check.subarray(walk, { minLength: 1 }) : check.constant(walk);
      }),
    fills: (quantity) =>
      check.array(check.integer({ min: 1, max: Math.max(1, Math.ceil(quantity)) }), { maxLength: 8 }).map((parts) => cut(parts, quantity)),
    orders: ({ symbols, maxQuantity }) =>
      check
        .array(
          check.record({
            symbol: check.constantFrom(...symbols),
            side: check.constantFrom('buy' as const, 'sell' as const),
            quantity: check.integer({ min: 1, max: maxQuantity }),
            reduceOnly: check.boolean(),
          }),
          { maxLength: 30 },
        )
        .map((drawn) =>
          drawn.map((order, index) => ({
            ...order,
            clientOrderId: `order-${index}`,
            positionSide: 'net' as const,
            type: 'market' as const,
          })),
        ),
  };
}

function cut(parts: readonly number[], quantity: number): readonly number[] {
  let left = quantity;
  const fills: number[] = [];
  for (const part of parts) {
    const filled = Math.min(part, left);
    if (filled <= 0) break;
    fills.push(filled);
    left -= filled;
  }
  return fills;
}
