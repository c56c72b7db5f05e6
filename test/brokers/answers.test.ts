/** What a broker reads by hand is what the venue's schemas allow, and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import * as answers from '../../src/brokers/paper/answers.js';
import * as wire from '../../src/brokers/paper/wire.js';

const REPORT = { orderId: 'o1', clientOrderId: 'c1', status: 'filled', filledQuantity: 3.5, reason: 'closed' };
const POSITION = { symbol: 'AAPL', positionSide: 'net', quantity: -10, markPrice: 101.25 };
const ORDER = {
  orderId: 'o2',
  clientOrderId: 'c2',
  symbol: 'BTC/USD',
  positionSide: 'long',
  side: 'sell',
  type: 'stop',
  quantity: 1,
  filledQuantity: 0,
  reduceOnly: true,
  limitPrice: 9,
  stopPrice: 8,
};
const ACCOUNT = {
  account: 'main',
  environment: 'paper',
  positionMode: 'hedge',
  reduceOnly: 'enforced',
  clientOrderIds: 'while_open',
  orderExpiryMs: 5_000,
  readLagMs: 0,
  defaultMinQuantity: 1,
  minQuantities: { AAPL: 5 },
};
const BAR = { index: 0, openMs: 0, open: 1, high: 2, low: 0.5, close: 1.5, volume: 0 };

/** What each schema gives, in the words of the port. */
const CASES: readonly [
  name: string,
  decoder: answers.Decoder<unknown>,
  schema: z.ZodType,
  sample: unknown,
  ofPort: (parsed: never) => unknown,
][] = [
  ['order report', answers.orderReport, wire.orderReport, REPORT, (parsed) => parsed],
  ['cancel', answers.cancelAnswer, wire.cancelAnswer, { result: 'canceled' }, ({ result }: z.output<typeof wire.cancelAnswer>) => result],
  ['found', answers.queryAnswer, wire.queryAnswer, { found: true, report: REPORT }, (parsed) => parsed],
  ['not found', answers.queryAnswer, wire.queryAnswer, { found: false }, (parsed) => parsed],
  [
    'positions',
    answers.positionsAnswer,
    wire.positionsAnswer,
    { positions: [POSITION, POSITION] },
    ({ positions }: z.output<typeof wire.positionsAnswer>) => positions,
  ],
  [
    'orders',
    answers.ordersAnswer,
    wire.ordersAnswer,
    { orders: [ORDER, ORDER] },
    ({ orders }: z.output<typeof wire.ordersAnswer>) => orders,
  ],
  ['account', readableAccount, wire.accountAnswer, ACCOUNT, (parsed) => parsed],
  ['error', answers.errorAnswer, wire.errorAnswer, { error: 'no', reason: 'too_small' }, (parsed) => parsed],
  ['bars', answers.barsAnswer, wire.barsAnswer, { index: 3, count: 4, bars: [BAR, BAR] }, (parsed) => parsed],
];

/** The account with its function asked, so that it can be compared. */
function readableAccount(answer: Parameters<typeof answers.accountAnswer>[0]) {
  const { account, environment, positionMode, capabilities } = answers.accountAnswer(answer);
  const { minQuantity, ...rest } = capabilities;
  const named = answer.at('minQuantities').map((quantity) => quantity.number());
  const minQuantities = Object.fromEntries([...named.keys()].map((symbol) => [symbol, minQuantity(symbol)]));
  return { account, environment, positionMode, ...rest, defaultMinQuantity: minQuantity('another symbol'), minQuantities };
}

interface Change {
  readonly at: number;
  readonly to: unknown;
}

/** Replaces, one after another, the nth of all values that stand in `sample`, itself included; `undefined` removes it. */
function changed(sample: unknown, changes: readonly Change[]): unknown {
  return changes.reduce<unknown>((value, { at, to }) => {
    let seen = 0;
    const count = countOf(value);
    const walk = (node: unknown): unknown => {
      if (seen++ === at % count) return to;
      if (Array.isArray(node)) return node.map(walk);
      if (typeof node !== 'object' || node === null) return node;
      return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, walk(member)]));
    };
    const text = JSON.stringify(walk(value));
    return text === undefined ? undefined : JSON.parse(text);
  }, sample);
}

function countOf(value: unknown): number {
  const members = typeof value === 'object' && value !== null ? Object.values(value) : [];
  return members.reduce<number>((count, member) => count + countOf(member), 1);
}

/** Values that come close to what is right, and values that do not. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    false,
    0,
    -1,
    1,
    0.5,
    2 ** 53,
    1e300,
    '',
    'AAPL',
    'net',
    'buy',
    'filled',
    'a b',
    '1',
    [],
    {},
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const changes = fc.array(fc.record({ at: fc.nat(40), to: value }), { maxLength: 2 });

describe.each(CASES)('%s', (_, decoder, schema, sample, ofPort) => {
  it('is read as the schema has it', () => {
    const decoded = answers.decodeAnswer(decoder, sample);
    expect(decoded).toEqual({ ok: true, value: ofPort(schema.parse(sample) as never) });
  });

  it('is refused where the schema refuses it, and only there', () => {
    let [taken, refused] = [0, 0];
    fc.assert(
      fc.property(changes, (list) => {
        const body = changed(sample, list);
        const parsed = schema.safeParse(body);
        const decoded = answers.decodeAnswer(decoder, body);
        expect(decoded.ok).toBe(parsed.success);
        if (decoded.ok && parsed.success) expect(decoded.value).toEqual(ofPort(parsed.data as never));
        if (parsed.success) taken += 1;
        else refused += 1;
      }),
      { numRuns: 400 },
    );
    expect({ taken: taken > 40, refused: refused > 40 }).toEqual({ taken: true, refused: true });
  });
});

it('says which value is wrong', () => {
  const decoded = answers.decodeAnswer(answers.positionsAnswer, { positions: [POSITION, { ...POSITION, symbol: 7 }] });
  expect(decoded).toMatchObject({ ok: false, malformed: { message: 'the answer.positions[1].symbol must be a text' } });
});
