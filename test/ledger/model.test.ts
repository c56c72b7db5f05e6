/** The ledger against a second one that is written as plainly as can be: equal to the last decimal place, after every report. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLedger, type LedgerOptions, type RealisedResult } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';
import { byPlace, fillOf, inModelWords, openInModelWords, reportOf, SPAN_MS, START_MS, type Variety } from './arbitraries.js';
import { type ModelFill, ModelLedger, type ModelReport, play, toReport } from './model.js';

const MAX_AHEAD_MS = 60_000;
const NOW_MS = START_MS + SPAN_MS - 10 * 60_000;
const clock = new ManualClock({ wallMs: NOW_MS });
const LATER = new ManualClock({ wallMs: START_MS + 2 * SPAN_MS });
const CROWDED: Variety = { ids: 12, revisions: 2, stepMs: 60_000 };

type Told = Map<string, RealisedResult>;

/** With the time: an id that has been settled and forgotten may come again. */
const keyOf = ({ account, symbol, id, closedAtMs }: RealisedResult): string => JSON.stringify([account, symbol, id, closedAtMs]);

/** Follows what `record` tells, as a breaker would. */
function follow(
  told: Told,
  outcome: { readonly realised: readonly RealisedResult[]; readonly withdrawn: readonly RealisedResult[] },
): void {
  for (const result of outcome.withdrawn) {
    expect(told.get(keyOf(result)), 'only what was told is withdrawn').toEqual(result);
    told.delete(keyOf(result));
  }
  for (const result of outcome.realised) {
    expect(told.has(keyOf(result)), 'nothing is told twice').toBe(false);
    told.set(keyOf(result), result);
  }
}

async function compare(reports: readonly ModelReport[], horizonMs: number, restartEvery: number): Promise<void> {
  const options: LedgerOptions = { horizonMs, maxAheadMs: MAX_AHEAD_MS, keepResults: 1_000, clock };
  const model = new ModelLedger({ horizonMs, maxAheadMs: MAX_AHEAD_MS, nowMs: NOW_MS });
  const told: Told = new Map();
  let ledger = await createLedger(options);
  let refused = 0;
  for (const [index, report] of reports.entries()) {
    if (index % restartEvery === restartEvery - 1) ledger = await createLedger({ ...options, snapshot: ledger.snapshot() });
    const outcome = ledger.record(toReport(report));
    const status = outcome.status === 'refused' ? outcome.refusal.code : outcome.status;
    expect(status).toBe(model.record(report));
    if (outcome.status === 'refused') refused += 1;
    if ('realised' in outcome) follow(told, outcome);
  }
  const expected = play(model.fills);
  expect(byPlace(inModelWords(ledger.results()))).toEqual(byPlace(expected.results));
  expect(openInModelWords(ledger.positions())).toEqual(new Map(expected.open));
  expect(told).toEqual(new Map(ledger.results().map((result) => [keyOf(result), result] as const)));
  expect(ledger.refusals().count).toBe(refused);
}

describe('a ledger', () => {
  it('answers and realises what the model does, across corrections, busts, late fills and restarts', async () => {
    const horizons = fc.constantFrom(0, 60_000, 10 * 60_000, 2 * SPAN_MS);
    await fc.assert(fc.asyncProperty(fc.array(reportOf(CROWDED), { maxLength: 60 }), horizons, fc.integer({ min: 1, max: 40 }), compare), {
      seed: fcSeed,
      numRuns: 400,
    });
  });

  it('does not depend on the order of arrival, nor on repetitions', async () => {
    const variety: Variety = { ids: 40, revisions: 0, stepMs: 60_000 };
    const fills = fc.uniqueArray(fillOf(variety), { maxLength: 40, selector: ({ id }) => id });
    const cases = fills.chain((set) => {
      const corrected = set
        .slice(0, Math.floor(set.length / 3))
        .map((fill) => ({ ...fill, revision: 1, price: fill.price + 7, quantity: fill.quantity + 1 }));
      const all = [...set, ...corrected];
      return fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all.slice(0, 10)], { minLength: all.length + Math.min(10, all.length) }),
      );
    });
    await fc.assert(
      fc.asyncProperty(cases, async ([all, shuffled]) => {
        const options: LedgerOptions = { horizonMs: 2 * SPAN_MS, clock: LATER };
        const [first, second] = [await createLedger(options), await createLedger(options)];
        for (const fill of all) first.record(toReport(fill));
        for (const fill of shuffled) second.record(toReport(fill));
        expect(second.results()).toEqual(first.results());
        expect(second.closes()).toEqual(first.closes());
        expect(second.positions()).toEqual(first.positions());
        expect(second.refusals()).toEqual({ count: 0 });
      }),
      { seed: fcSeed, numRuns: 200 },
    );
  });

  it('loses no money: once flat, results add up to what was received less what was paid', async () => {
    const variety: Variety = { ids: 1_000_000, revisions: 0, stepMs: 1_000 };
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fillOf(variety), { minLength: 1, maxLength: 40, selector: ({ id }) => id }), async (random) => {
        const fills: ModelFill[] = random.map((fill) => ({
          ...fill,
          account: 'main',
          symbol: 'AAPL',
          strategy: undefined,
          positionSide: 'net',
          multiplier: 1,
        }));
        const net = fills.reduce((sum, { side, quantity }) => sum + (side === 'buy' ? quantity : -quantity), 0);
        const [any] = fills;
        if (any !== undefined && net !== 0) {
          fills.push({ ...any, id: 'last', side: net > 0 ? 'sell' : 'buy', quantity: Math.abs(net), timeMs: START_MS + SPAN_MS + 1 });
        }
        const ledger = await createLedger({ horizonMs: 2 * SPAN_MS, clock: LATER });
        for (const fill of fills) ledger.record(toReport(fill));
        const cash = fills.reduce((sum, { side, quantity, price }) => sum + BigInt(quantity * price) * (side === 'sell' ? 1n : -1n), 0n);
        const costs = fills.reduce((sum, { fee, slippage }) => sum + BigInt(fee + slippage), 0n);
        const total = ledger.results().reduce((sum, { pnl }) => sum + atomsOf(pnl), 0n);
        expect(ledger.positions()).toEqual([]);
        expect(total).toBe(cash * 10n ** 25n - costs * 10n ** 26n);
      }),
      { seed: fcSeed, numRuns: 200 },
    );
  });
});

/** Decimal text as a whole number of 10^-30. */
function atomsOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const atoms = BigInt(whole + fraction.padEnd(30, '0'));
  return text.startsWith('-') ? -atoms : atoms;
}
