/** What a user's own tests are given: a strategy with a bug is caught by it, in the words of its user. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../src/simulation/faults/schedule.js';
import { safetyArbitraries } from '../../src/testing/arbitraries.js';
import { checkSafety } from '../../src/testing/checkSafety.js';
import { safetyMatchers } from '../../src/testing/matchers.js';
import { maxOrderRate, maxPosition } from '../../src/testing/promises.js';
import type { StrategyTools, StrategyUnderTest } from '../../src/testing/strategyTools.js';
import { fcSeed } from '../support/seed.js';

const LONG_MS = 120_000;

function isExample(value: unknown): value is { readonly buyer: StrategyUnderTest } {
  return typeof value === 'object' && value !== null && 'buyer' in value && typeof value.buyer === 'function';
}

async function buyerOf(file: string): Promise<StrategyUnderTest> {
  const example: unknown = await import(new URL(`../../examples/strategy-ci/${file}`, import.meta.url).href);
  if (!isExample(example)) throw new Error(`${file} exports no buyer`);
  return example.buyer;
}

const order = (number: number) =>
  ({
    clientOrderId: `o-${number}`,
    symbol: 'AAPL',
    positionSide: 'net',
    side: 'buy',
    type: 'market',
    quantity: 1,
    reduceOnly: false,
  }) as const;

/** Acts twice a second until it is told to stop. */
const looping =
  (act: (tools: StrategyTools, number: number) => unknown): StrategyUnderTest =>
  async (tools) => {
    for (let number = 1; !tools.signal.aborted; number += 1) {
      await tools.clock.sleep(500, tools.signal);
      await act(tools, number);
    }
  };

describe('a strategy of a user', () => {
  it(
    'that retries under a new id is caught by the limit that it breaks, with the least faults that it takes, and its fix is not',
    async () => {
      const [broken, mended] = [await buyerOf('buyer.mjs'), await buyerOf('fixed.mjs')];
      const promises = [maxPosition(10), 'S1', 'S7', 'L4'] as const;
      const report = await checkSafety({ strategy: broken, promises, seeds: 20 });
      expect(report).toMatchObject({ ok: false, violation: { promise: 'max-position' } });
      expect(report.schedule?.faults.length).toBeLessThanOrEqual(3);
      expect(report.timeline).toContain('BROKEN max-position: the position of AAPL is 11');
      const stored = parseSchedule(JSON.stringify(report.schedule));
      expect((await checkSafety({ strategy: broken, promises, schedule: stored })).violation).toEqual(report.violation);
      expect(await checkSafety({ strategy: mended, promises, schedule: stored })).toMatchObject({ ok: true });
      expect(await checkSafety({ strategy: mended, promises, seeds: 4 })).toMatchObject({ ok: true, seeds: 4 });
    },
    LONG_MS,
  );

  it(
    'that goes around the door is caught, and one that uses it is not',
    async () => {
      const around = looping(({ broker }, number) => broker.submit(order(number)).catch(() => undefined));
      const report = await checkSafety({ strategy: around, seeds: 3 });
      expect(['S1', 'S7', 'L4', 'S5']).toContain(report.violation?.promise);
      const guarded = looping(({ submit }, number) => {
        const admission = submit.trySubmit(order(number));
        if (admission.ok) admission.outcome.catch(() => undefined);
      });
      expect(await checkSafety({ strategy: guarded, seeds: 2 })).toMatchObject({ ok: true });
    },
    LONG_MS,
  );

  it.each<[string, StrategyUnderTest, RegExp]>([
    [
      'never yields',
      async ({ clock }) => {
        for (;;) {
          clock.monotonicMs();
          await Promise.resolve();
        }
      },
      /never yields/,
    ],
    ['waits on the real clock', () => new Promise((resolve) => setTimeout(resolve, 10)), /setTimeout of the real world/],
    ['reads the real clock', looping(() => Date.now()), /now of the real world/],
    ['throws', () => Promise.reject(new Error('no market data')), /ended with an error: no market data/],
    ['ends with its first refusal (trap 52)', looping(({ submit }, number) => submit(order(number))), /ended with an error/],
    ['leaves a timer behind', ({ clock }) => void clock.setTimer(3_600_000, () => {}), /left 1 timers behind/],
    ['does not return', () => new Promise(() => {}), /did not return within 5000 ms/],
  ])(
    'that %s is named in one line',
    async (_what, strategy, line) => {
      const report = await checkSafety({ strategy, seeds: 1 });
      expect(report).toMatchObject({ ok: false, violation: { promise: 'strategy' } });
      expect(report.violation?.detail).toMatch(line);
      expect(report.violation?.detail).not.toContain('\n');
    },
    LONG_MS,
  );

  it(
    'meets crashes and new lives, bars and a broker of its own',
    async () => {
      const lives = new Set<number>();
      let bars = 0;
      let sent = 0;
      const strategy: StrategyUnderTest = async ({ life, bars: market, signal, broker }) => {
        lives.add(life);
        for await (const bar of market()) {
          if (signal.aborted) return;
          bars += bar.close > 0 ? 1 : 0;
          await broker.positions().catch(() => undefined);
        }
      };
      const counting = {
        strategy,
        broker: (venue: StrategyTools['broker']) => ({ ...venue, positions: () => ((sent += 1), venue.positions()) }),
      };
      expect(await checkSafety({ ...counting, seed: 5, seeds: 2 })).toMatchObject({ ok: true });
      expect(lives.size).toBeGreaterThan(1);
      expect(Math.min(bars, sent)).toBeGreaterThan(100);
    },
    LONG_MS,
  );

  it('cannot be checked for a promise that nobody knows, or if it is none', async () => {
    await expect(checkSafety({ strategy: () => {}, promises: [] })).rejects.toThrow(/promises = .*must name at least one/);
    const wrong: unknown[] = ['S99'];
    await expect(Reflect.apply(checkSafety, undefined, [{ strategy: () => {}, promises: wrong }])).rejects.toThrow(
      /promises = .*S99.*must be one of S1/,
    );
    await expect(Reflect.apply(checkSafety, undefined, [{ strategy: 'mine' }])).rejects.toThrow(/strategy = .*must be a function/);
  });
});

describe('a promise of a user', () => {
  const at = (atMs: number) => ({ kind: 'request', what: 'submit', atMs }) as never;

  it('limits how often orders come', () => {
    const run = { fills: [], events: [], orders: [at(0), at(100), at(900), at(1_050)] };
    expect(maxOrderRate(3, 1_000).broken(run)).toBeUndefined();
    expect(maxOrderRate(2, 1_000).broken(run)).toMatchObject({ atMs: 900 });
  });
});

describe('arbitraries', () => {
  const { schedule, bars, fills, orders } = safetyArbitraries(fc);

  it('give schedules that can be stored, bars with sane prices, fills that never exceed the order, and orders with ids of their own', () => {
    fc.assert(
      fc.property(
        schedule(),
        bars({ gaps: true }),
        fills(7),
        orders({ symbols: ['A', 'B'], maxQuantity: 5 }),
        (drawn, walk, parts, sent) => {
          expect(parseSchedule(JSON.stringify(drawn))).toEqual(drawn);
          expect(walk.every(({ high, low, close }) => low > 0 && low <= close && close <= high)).toBe(true);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(7);
          expect(new Set(sent.map(({ clientOrderId }) => clientOrderId)).size).toBe(sent.length);
        },
      ),
      { seed: fcSeed },
    );
  });
});

describe('matchers', () => {
  const good = { ok: true, seeds: 3, simulatedSeconds: 360 };
  const bad = { ...good, ok: false, violation: { promise: 'S7', atMs: 1, detail: 'an order left' }, timeline: '0.001 s' };

  it('tell what is broken, and how to replay it', () => {
    expect(safetyMatchers.toHoldItsPromises(good).pass).toBe(true);
    expect(safetyMatchers.toHoldItsPromises(bad).pass).toBe(false);
    expect(safetyMatchers.toHoldItsPromises(bad).message()).toMatch(/S7 is broken: an order left[\s\S]*0.001 s[\s\S]*replay/);
    expect(safetyMatchers.toBreak(bad, 'S7').pass).toBe(true);
    expect(safetyMatchers.toBreak(good, 'S7').pass).toBe(false);
    expect(safetyMatchers.toBeRefused({ ok: false, code: 'trading_halted' }, 'trading_halted').pass).toBe(true);
    expect(safetyMatchers.toBeRefused({ ok: false, code: 'trading_halted' }, 'lease_expired').pass).toBe(false);
    expect(safetyMatchers.toBeRefused({ ok: true }).pass).toBe(false);
  });
});
