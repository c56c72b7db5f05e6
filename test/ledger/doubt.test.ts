/** Clocks, reports and orders at their worst: what is not known for sure is refused or counted, and nothing throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLedger, type LedgerFill, type RealisedResult } from '../../src/index.js';
import { closeOf, groupOf } from '../../src/ledger/closes.js';
import { timestampMs } from '../../src/ledger/timestamp.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { fcSeed } from '../support/seed.js';
import { fill, ledgerWith, NOON_MS } from './support.js';

describe('S3: a wall clock that is no number', () => {
  it('lets no fill settle the book', async () => {
    const ledger = await createLedger({ clock: Object.assign(new ManualClock(), { wallMs: () => Number.NaN }) });
    const outcome = ledger.record(fill('buy', 1, 1, { time: Date.UTC(2099, 0, 1) }));
    expect(outcome).toMatchObject({ status: 'refused', refusal: { code: 'too_far_ahead' } });
  });

  it('leaves no loss out of a sum', async () => {
    const clock = new ManualClock({ wallMs: NOON_MS + 86_400_000 });
    const ledger = await ledgerWith([fill('buy', 1, 100), fill('sell', 1, 90)], { clock });
    Object.assign(clock, { wallMs: () => Number.NaN });
    expect(ledger.lossSum(1_000)).toMatchObject({ sum: '10', losses: 1 });
  });
});

it('a report that throws what throws when it is looked at is refused like any other', async () => {
  const ledger = await createLedger();
  const thrown: unknown = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        throw new Error('never');
      },
    },
  );
  const report = {
    ...fill('buy', 1, 1),
    get price(): string {
      throw thrown;
    },
  };
  expect(ledger.record(report)).toMatchObject({ status: 'refused', refusal: { code: 'malformed', field: 'fill' } });
});

it('one moment is one moment, however it is written: what is finer than a millisecond is cut off', async () => {
  const finer = fc.tuple(fc.integer({ min: NOON_MS, max: NOON_MS + 86_400_000 }), fc.integer({ min: 0, max: 999 }));
  fc.assert(
    fc.property(finer, ([atMs, microseconds]) => {
      const micros = String(microseconds).padStart(3, '0');
      const seconds = `${Math.floor(atMs / 1_000)}.${String(atMs % 1_000).padStart(3, '0')}${micros}`;
      const iso = `${new Date(atMs).toISOString().slice(0, -1)}${micros}Z`;
      const read = [iso, seconds, Number(seconds), `${atMs}.${micros}`, atMs].map((time) => timestampMs('time', time));
      expect(read).toEqual([atMs, atMs, atMs, atMs, atMs]);
    }),
    { seed: fcSeed, numRuns: 500 },
  );
  const ledger = await ledgerWith([]);
  const once: LedgerFill = fill('buy', 1, 1, { time: '2024-03-01T14:30:00.250700Z' });
  expect(ledger.record(once).status).toBe('recorded');
  expect(ledger.record({ ...once, time: 1_709_303_400.2507 }).status).toBe('duplicate');
});

it('an order that fills on, loses parts and gets others is the sum of those that it has', () => {
  const figure = fc.integer({ min: -1_000, max: 1_000 }).map((cents) => String(cents / 100));
  const part = fc.record({ pnl: figure, fees: figure, slippage: figure, quantity: figure });
  fc.assert(
    fc.property(fc.array(fc.tuple(part, fc.nat(4)), { maxLength: 40 }), (steps) => {
      let parts: RealisedResult[] = [];
      for (const [index, [figures, dropped]] of steps.entries()) {
        if (dropped === 0) parts = parts.slice(0, -2);
        if (dropped === 1) parts = parts.slice(1);
        parts = [...parts, { id: `f${index}`, account: 'main', symbol: 'AAPL', orderId: 'o', closedAtMs: index, ...figures }];
        for (const last of [parts.at(-1), parts.at(-1), parts[0]])
          if (last !== undefined) expect(groupOf(parts, last)).toEqual(closeOf(parts, last));
      }
    }),
    { seed: fcSeed, numRuns: 300 },
  );
});
