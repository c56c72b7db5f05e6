/** A ledger goes on where its snapshot was taken; what is damaged or unknown is refused whole. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLedger, type Ledger, type LedgerOptions } from '../../src/index.js';
import { fcSeed } from '../support/seed.js';
import { aDayLater, fill, ledgerWith, NOON_MS, pnls, told } from './support.js';

interface Text {
  version: number;
  sha256: string;
  body: { instruments: Record<string, unknown>[]; refusals: Record<string, unknown> };
}

const OPTIONS: LedgerOptions = { horizonMs: 10_000, keepResults: 2 };

/** One with something in every place that a snapshot has. */
async function fullLedger(): Promise<Ledger> {
  const at = (seconds: number) => ({ time: NOON_MS + seconds * 1_000 });
  const ledger = await ledgerWith(
    [
      fill('buy', 3, 10, { ...at(0), fee: 1 }),
      fill('buy', 3, 11, { ...at(0), slippage: 1 }),
      fill('sell', 1, 12, { ...at(1), orderId: 'o' }),
      fill('sell', 1, 13, { ...at(2), sequence: 4 }),
      fill('sell', '0.5', 14, at(3)),
      fill('sell', 1, 9, { ...at(20), id: 'tail' }),
      fill('buy', 1, 5, { ...at(20), strategy: 's', positionSide: 'short' }),
      fill('sell', 1, 6, { ...at(20), strategy: 's', positionSide: 'short', sequence: 1 }),
      fill('sell', 1, 6, { ...at(40), symbol: 'MSFT', strategy: 's', positionSide: 'long' }),
      fill('buy', 1, 6, { ...at(41), symbol: 'MSFT', strategy: 's', positionSide: 'long', orderId: 'p' }),
      fill('sell', 1, 6, { ...at(80), symbol: 'MSFT' }),
    ],
    OPTIONS,
  );
  ledger.record({ id: 'gone', account: 'main', symbol: 'AAPL', time: NOON_MS + 20_000, revision: 1, busted: true });
  ledger.record(fill('buy', Number.NaN, 1));
  return ledger;
}

const restore = (snapshot: string): Promise<Ledger> => createLedger({ ...OPTIONS, clock: aDayLater(), snapshot });

/** The same text with its body changed and a checksum that fits, as no damage makes it. */
function forged(snapshot: string, change: (body: Text['body']) => void): string {
  const { version, body } = JSON.parse(snapshot) as Text;
  change(body);
  return JSON.stringify({ version, sha256: createHash('sha256').update(JSON.stringify(body)).digest('hex'), body });
}

describe('a snapshot', () => {
  it('brings everything back', async () => {
    const ledger = await fullLedger();
    const again = await restore(ledger.snapshot());
    expect(again.snapshot()).toBe(ledger.snapshot());
    expect(again.results()).toEqual(ledger.results());
    expect(again.positions()).toEqual(ledger.positions());
    expect(again.refusals()).toEqual(ledger.refusals());
    expect(again.lossesInLast(9)).toEqual(ledger.lossesInLast(9));
    expect(again.lossesInLast(9).complete).toBe(false);
    expect(ledger.refusals()).toMatchObject({ count: 1, latest: { field: 'quantity' } });
  });

  it('keeps the streak, the settled time, the busts, and what may still be corrected', async () => {
    const again = await restore((await fullLedger()).snapshot());
    expect(again.record(fill('buy', 1, 1, { time: NOON_MS + 9_999 }))).toMatchObject({ refusal: { code: 'too_late' } });
    expect(again.record(fill('buy', 1, 1, { time: NOON_MS + 20_000, id: 'gone' }))).toEqual({ status: 'superseded' });
    const corrected = again.record(fill('sell', 1, 99, { id: 'tail', time: NOON_MS + 20_000, revision: 1 }));
    expect(told(corrected)).toEqual(['88.166666666666666666666666666666']);
  });

  it('is the same text when nothing has happened, and of an empty ledger too', async () => {
    const empty = await createLedger();
    expect((await restore(empty.snapshot())).snapshot()).toBe(empty.snapshot());
    expect((await restore(empty.snapshot())).results()).toEqual([]);
  });

  it('does not let a longer horizon reopen what is settled', async () => {
    const snapshot = (await fullLedger()).snapshot();
    const again = await createLedger({ horizonMs: 86_400_000, clock: aDayLater(), snapshot });
    expect(again.record(fill('buy', 1, 1, { time: NOON_MS + 9_999 }))).toMatchObject({ refusal: { code: 'too_late' } });
    expect(again.record(fill('buy', 1, 1, { time: NOON_MS + 10_000 })).status).toBe('recorded');
  });

  it('restores figures larger than those of any one fill', async () => {
    const ledger = await ledgerWith([fill('buy', '1e18', '1e18', { multiplier: '1e18' }), fill('sell', '1e17', 0)]);
    const again = await restore(ledger.snapshot());
    expect(pnls(again.results())).toEqual([`-1${'0'.repeat(53)}`]);
    again.record(fill('sell', 1, 0, { time: NOON_MS + 3_600_000 }));
    expect((await restore(again.snapshot())).snapshot()).toBe(again.snapshot());
  });

  it.each([0, 2, '1', null, undefined])('of version %s is refused', async (version) => {
    const text = JSON.parse((await fullLedger()).snapshot()) as Text;
    await expect(restore(JSON.stringify({ ...text, version }))).rejects.toMatchObject({
      code: 'configuration',
      field: 'snapshot.version',
      bound: 'must be 1',
    });
  });

  it.each(['', 'x', 'null', '[]', '7', '"text"', '{}'])('that is %s is refused', async (snapshot) => {
    await expect(restore(snapshot)).rejects.toMatchObject({ code: 'configuration', field: expect.stringMatching(/^snapshot/) as string });
  });

  it('that lost its end is refused by name', async () => {
    const snapshot = (await fullLedger()).snapshot();
    const error = await restore(snapshot.slice(0, -1)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      field: 'snapshot',
      bound: 'must be the whole text that snapshot() returned',
      cause: expect.any(SyntaxError) as Error,
    });
  });

  it('with any character lost or changed is refused, or was the same ledger', async () => {
    const snapshot = (await fullLedger()).snapshot();
    const damage = fc.tuple(fc.nat(snapshot.length - 1), fc.constantFrom('', '0', '9', '"', 'x', '-', ','));
    await fc.assert(
      fc.asyncProperty(damage, async ([at, instead]) => {
        const damaged = snapshot.slice(0, at) + instead + snapshot.slice(at + 1);
        const outcome = await restore(damaged).then(
          (ledger) => ledger.snapshot() === snapshot,
          (error: unknown) => (error as { code?: unknown }).code === 'configuration',
        );
        expect(outcome).toBe(true);
      }),
      { seed: fcSeed, numRuns: 300 },
    );
  });
});

/** Every place of a body, by the path that the refusal names. */
function paths(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, each]) => paths(each, [...path, Array.isArray(value) ? Number(key) : key]))];
}

function replaceAt(value: unknown, path: readonly (string | number)[], instead: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return instead;
  if (Array.isArray(value)) return value.map((each: unknown, index) => (index === first ? replaceAt(each, rest, instead) : each));
  return { ...(value as object), [first]: replaceAt((value as Record<string, unknown>)[first], rest, instead) };
}

describe('a body that fits its checksum', () => {
  it('is refused where any of its values is of another kind, and the place is named', async () => {
    const snapshot = (await fullLedger()).snapshot();
    const { body } = JSON.parse(snapshot) as Text;
    const inReports = (path: readonly (string | number)[]) => path.includes('tail') && path.indexOf('tail') < path.length - 1;
    for (const path of paths(body).filter((each) => each.length > 0 && each.at(-1) !== 'busted')) {
      for (const wrong of [true, null, '']) {
        const text = forged(snapshot, (target) => Object.assign(target, replaceAt(body, path, wrong)));
        const error = await restore(text).catch((thrown: unknown) => thrown);
        expect(error, `${path.join('.')} = ${String(wrong)}`).toMatchObject({ code: 'configuration' });
        const named = `snapshot.${path
          .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
          .join('')
          .slice(1)}`;
        if (!inReports(path) && !path.includes('busts')) expect(error).toMatchObject({ field: named });
      }
    }
  });

  const lot = { side: 'buy', quantity: '2', closed: '1', unitPrice: '1', fee: '0', slippage: '0' };
  const book = (lots: unknown[]) => ({ positionSide: 'net', lots, results: [], tail: [] });

  it.each([
    [[{ ...lot, closed: '2' }], 'lots[0].closed'],
    [[{ ...lot, closed: '-1' }], 'lots[0].closed'],
    [[{ ...lot, quantity: '1e3' }], 'lots[0].quantity'],
    [[{ ...lot, fee: '1.' }], 'lots[0].fee'],
    [[{ ...lot, fee: 'x1' }], 'lots[0].fee'],
    [[lot, { ...lot, side: 'sell' }], 'lots'],
  ])('is refused where its lots cannot be: %j', async (lots, place) => {
    const text = forged((await fullLedger()).snapshot(), (body) => {
      Object.assign(body.instruments[0] ?? {}, { books: [book(lots)] });
    });
    await expect(restore(text)).rejects.toMatchObject({ field: `snapshot.instruments[0].books[0].${place}` });
  });

  it('may hold lots that are open in part or in whole, in their order', async () => {
    const text = forged((await fullLedger()).snapshot(), (body) => {
      Object.assign(body.instruments[0] ?? {}, {
        books: [
          book([
            { ...lot, closed: '0' },
            { ...lot, unitPrice: '5' },
          ]),
        ],
        busts: [],
      });
    });
    const ledger = await restore(text);
    expect(ledger.positions({ symbol: 'AAPL' })).toMatchObject([{ quantity: '3' }]);
    expect(told(ledger.record(fill('sell', 3, 10, { time: NOON_MS + 30_000 })))).toEqual(['23']);
  });
});
