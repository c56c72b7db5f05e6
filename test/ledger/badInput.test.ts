/** Whatever a feed hands over: booked, or refused by field, value and bound; the process lives on and nothing else has changed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, createLedger, type Ledger, type LedgerFill } from '../../src/index.js';
import { timestampMs } from '../../src/ledger/timestamp.js';
import { fcSeed } from '../support/seed.js';
import { fill, ledgerWith, NOON_MS } from './support.js';

const record = (ledger: Ledger, report: unknown) => ledger.record(report as LedgerFill);

const FIGURE = 'at most 1e18, with at most 30 decimal places';
const NAME = 'must be a text of 1 to 200 characters that is not blank';

const CASES: readonly (readonly [field: string, value: unknown, bound: string])[] = [
  ...['', ' ', 7, null, undefined, 'x'.repeat(201)].flatMap((value) =>
    ['id', 'account', 'symbol'].map((field) => [field, value, NAME] as const),
  ),
  ...['', 7, null].flatMap((value) => ['strategy', 'orderId'].map((field) => [field, value, NAME] as const)),
  ...['hold', 'BUY', undefined, 1].map((value) => ['side', value, 'must be one of buy, sell'] as const),
  ...['both', null].map((value) => ['positionSide', value, 'must be one of net, long, short'] as const),
  ...[
    0,
    -1,
    '-0.1',
    '0',
    Number.NaN,
    Infinity,
    '1e18.5',
    '1e19',
    1.1e18,
    '',
    '1,000',
    '0x10',
    ' 1',
    '1 ',
    '.5',
    '5.',
    '+1',
    null,
    undefined,
    1n,
    {},
  ].flatMap((value) =>
    ['quantity', 'multiplier'].flatMap((field) =>
      field === 'multiplier' && value === undefined
        ? []
        : [[field, value, `must be a finite number or decimal text above 0, ${FIGURE}`] as const],
    ),
  ),
  ...[
    -0.01,
    '-1',
    Number.NaN,
    Infinity,
    -Infinity,
    undefined,
    null,
    'NaN',
    'Infinity',
    `0.${'0'.repeat(30)}1`,
    '1e-31',
    `${'0'.repeat(100)}1`,
  ].map((value) => ['price', value, `must be a finite number or decimal text of at least 0, ${FIGURE}`] as const),
  ...[Number.NaN, '-1e19', null, 'free'].flatMap((value) =>
    ['fee', 'slippage'].map((field) => [field, value, `must be a finite number or decimal text of either sign, ${FIGURE}`] as const),
  ),
  ...[-1, 0.5, '1', null, 2 ** 53].flatMap((value) => ['revision', 'sequence'].map((field) => [field, value, 'must be '] as const)),
  ...['yes', 1, null].map((value) => ['busted', value, 'must be true or false'] as const),
  ['time', undefined, 'must be ISO 8601 text'],
];

describe('trap 19: a fill with a field that cannot hold', () => {
  it.each(CASES)('%s = %s is refused', async (field, value, bound) => {
    const bought = fill('buy', 1, 10);
    const ledger = await ledgerWith([bought]);
    const before = ledger.snapshot();
    const outcome = record(ledger, { ...fill('sell', 1, 9), [field]: value });
    if (outcome.status !== 'refused') throw new Error(`not refused: ${outcome.status}`);
    expect(outcome.refusal).toMatchObject({ code: 'malformed', field });
    expect(outcome.refusal.bound).toContain(bound);
    expect(outcome.refusal.message).toBe(new ConfigurationError(field, value, outcome.refusal.bound).message);
    expect(ledger.refusals()).toEqual({ count: 1, latest: outcome.refusal });
    expect(JSON.parse(ledger.snapshot())).toMatchObject({
      body: { instruments: (JSON.parse(before) as { body: { instruments: unknown } }).body.instruments },
    });
  });

  it('may be at its bound', async () => {
    const ledger = await ledgerWith([
      fill('buy', '1e18', `0.${'0'.repeat(29)}1`, {
        fee: '-1e18',
        slippage: '1E+18',
        id: 'x'.repeat(200),
        sequence: 2 ** 53 - 1,
        revision: 2 ** 53 - 1,
      }),
    ]);
    expect(ledger.positions()).toMatchObject([{ quantity: '1000000000000000000' }]);
    expect(ledger.record(fill('buy', `${'0'.repeat(99)}1`, 0)).status).toBe('recorded');
  });

  it('is refused as a bust without a revision above 0', async () => {
    const { id, account, symbol, time } = fill('buy', 1, 10);
    const outcome = record(await ledgerWith([]), { id, account, symbol, time, busted: true });
    expect(outcome).toMatchObject({
      status: 'refused',
      refusal: { field: 'revision', message: expect.stringContaining('between 1 and') as string },
    });
  });
});

describe('a feed', () => {
  it('may hand over objects that inherit their fields', async () => {
    const inherited: unknown = Object.create(fill('buy', 1, 10, { fee: 1, strategy: 's' }));
    const ledger = await ledgerWith([]);
    expect(record(ledger, inherited).status).toBe('recorded');
    expect(ledger.positions({ strategy: 's' })).toHaveLength(1);
  });

  it.each([undefined, null, 'fill', 7, true])('that hands over %s is refused', async (report) => {
    expect(record(await ledgerWith([]), report)).toMatchObject({
      status: 'refused',
      refusal: { field: 'fill', bound: 'must be an object' },
    });
  });

  it('cannot throw through the ledger', async () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const throwing = {
      ...fill('buy', 1, 1),
      get price(): number {
        throw new Error('never');
      },
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const ledger = await ledgerWith([]);
    for (const report of [throwing, revoked.proxy, { ...fill('buy', 1, 1), id: cyclic }]) {
      const message = 'fill: must be plain data';
      expect(record(ledger, report)).toEqual({
        status: 'refused',
        refusal: { code: 'malformed', field: 'fill', bound: 'must be plain data', message },
      });
    }
    expect(ledger.refusals().count).toBe(3);
  });

  it('cannot throw through the ledger, whatever it hands over', async () => {
    const ledger = await createLedger();
    const anything = fc.oneof(
      fc.anything({ withBigInt: true, withSparseArray: true, withNullPrototype: true, withDate: true }),
      fc.record(
        { ...Object.fromEntries(Object.keys(fill('buy', 1, 1)).map((key) => [key, fc.anything()])), busted: fc.anything() },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anything, (report) => {
        expect(record(ledger, report).status).toBe('refused');
      }),
      { seed: fcSeed, numRuns: 500 },
    );
  });
});

describe('a timestamp', () => {
  it.each([
    [NOON_MS, NOON_MS],
    [NOON_MS + 0.9, NOON_MS],
    [String(NOON_MS), NOON_MS],
    [NOON_MS / 1_000, NOON_MS],
    [NOON_MS / 1_000 + 0.001, NOON_MS + 1],
    [`${NOON_MS / 1_000}.25`, NOON_MS + 250],
    ['2024-03-01T12:00:00Z', NOON_MS],
    ['2024-03-01 12:00:00z', NOON_MS],
    ['2024-03-01t12:00:00.5Z', NOON_MS + 500],
    ['2024-03-01T12:00:00.123456789Z', NOON_MS + 123],
    ['2024-03-01T14:30:00+02:30', NOON_MS],
    ['2024-03-01T07:30:00-0430', NOON_MS],
    ['2024-02-29T23:59:59.999Z', Date.UTC(2024, 1, 29, 23, 59, 59, 999)],
    [946_684_800, 946_684_800_000],
    [946_684_800_000, 946_684_800_000],
    [4_102_444_800, 4_102_444_800_000],
    [4_102_444_800_000, 4_102_444_800_000],
    ['2000-01-01T00:00:00Z', 946_684_800_000],
    ['2100-01-01T00:00:00Z', 4_102_444_800_000],
  ])('%s is read', (time, expected) => {
    expect(timestampMs('time', time)).toBe(expected);
  });

  it.each([
    ...[
      0,
      -1,
      1e9 - 1e8,
      946_684_799,
      4_102_444_801,
      1e11,
      946_684_799_999,
      4_102_444_800_001,
      NOON_MS * 1_000,
      NOON_MS * 1e6,
      Number.NaN,
      Infinity,
    ],
    ...[
      '',
      'now',
      '2024-03-01',
      '2024-03-01T12:00:00',
      '2024-03-01T12:00Z',
      '2024-02-30T12:00:00Z',
      '2023-02-29T12:00:00Z',
      '2024-13-01T12:00:00Z',
    ],
    ...[
      '2024-00-01T12:00:00Z',
      '2024-03-00T12:00:00Z',
      '2024-03-01T24:00:00Z',
      '2024-03-01T12:60:00Z',
      '2024-03-01T12:00:60Z',
      '2024-04-31T12:00:00Z',
    ],
    ...[
      '2024-03-01T12:00:00+24:00',
      '2024-03-01T12:00:00+01:60',
      '1999-12-31T23:59:59.999Z',
      '2100-01-01T00:00:00.001Z',
      '03/01/2024 12:00:00Z',
    ],
    ...[
      ' 2024-03-01T12:00:00Z',
      '2024-03-01T12:00:00Z ',
      '2024-03-01T12:00:00.1234567890Z',
      `${NOON_MS}000`,
      '1e12',
      '-1709294400',
      ` ${NOON_MS}`,
      `${NOON_MS} `,
    ],
    ...[null, undefined, new Date(NOON_MS), 1n, {}],
  ])('%s is refused', (time) => {
    expect(() => timestampMs('time', time)).toThrow(ConfigurationError);
    expect(() => timestampMs('time', time)).toThrow(/^time = .*could be read in two ways$/);
  });
});

describe('an option', () => {
  it.each([
    ['horizonMs', -1],
    ['horizonMs', Number.NaN],
    ['horizonMs', 366 * 86_400_000 + 1],
    ['maxAheadMs', -1],
    ['maxAheadMs', Infinity],
    ['maxAheadMs', 366 * 86_400_000 + 1],
    ['keepResults', 0],
    ['keepResults', 1.5],
    ['keepResults', 1_000_001],
    ['snapshot', 7],
  ])('%s = %s is refused', async (field, value) => {
    await expect(createLedger({ [field]: value })).rejects.toMatchObject({ code: 'configuration', field, value });
  });

  it('may be at its bound', async () => {
    await createLedger({ horizonMs: 0, maxAheadMs: 0, keepResults: 1 });
    await createLedger({ horizonMs: 366 * 86_400_000, maxAheadMs: 366 * 86_400_000, keepResults: 1_000_000 });
  });
});
