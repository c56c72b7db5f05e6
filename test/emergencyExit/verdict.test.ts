/** What may be called flat, and when: the pure decision. */
import { describe, expect, it } from 'vitest';
import type { BrokerCapabilities, Position } from '../../src/broker/broker.js';
import type { LegKey } from '../../src/emergencyExit/book.js';
import { type Leg, newLeg, withSent } from '../../src/emergencyExit/legs.js';
import { judgeExit, type VerdictView } from '../../src/emergencyExit/verdict.js';

const CAPABILITIES: BrokerCapabilities = { reduceOnly: 'enforced', clientOrderIds: 'forever', readLagMs: 0, minQuantity: () => 1 };
const HORIZON_MS = 5_000;
const BOOK = { positions: [] as readonly Position[], orders: [], sentMs: 6_000, positionsSentMs: 6_000, receivedMs: 6_010 };

function view(change: Partial<VerdictView> = {}): VerdictView {
  return {
    nowMs: 6_100,
    startedMs: 0,
    book: BOOK,
    quietReadsMs: [5_500, 6_000],
    legs: new Map(),
    capabilities: CAPABILITIES,
    drain: { haltedMs: 1_000, horizonMs: HORIZON_MS, silentHolders: [] },
    drainedSinceMs: 1_000,
    deadlineMs: 100_000,
    confirmGapMs: 50,
    ...change,
  };
}

function outstanding(): ReadonlyMap<LegKey, Leg> {
  const leg = withSent(newLeg('A', 'net'), { number: 1, clientOrderId: 'a', side: 'sell', quantity: 1, sentMs: 0 }, 1, 0);
  return new Map([[leg.key, leg]]);
}

describe('judgeExit', () => {
  it('S5: two quiet readings after the horizon with every holder drained are flat', () => {
    expect(judgeExit(view())).toMatchObject({ kind: 'completed', verdict: 'flat' });
  });

  it.each([
    ['one reading', { quietReadsMs: [6_000] }],
    ['readings from before the horizon', { quietReadsMs: [3_000, 4_999] }],
    ['one reading before the horizon and one after it', { quietReadsMs: [4_000, 5_500] }],
    ['two readings that are one observation', { quietReadsMs: [6_000, 6_020] }],
    ['a reading from before the last holder drained', { drainedSinceMs: 5_800 }],
    ['a halt that is not committed', { drain: { haltedMs: undefined, horizonMs: undefined, silentHolders: [] } }],
    ['a reading that failed', { book: undefined }],
    ['readings that may lag behind the horizon', { capabilities: { ...CAPABILITIES, readLagMs: 800 } }],
  ] as const)('S5: %s is not flat', (_what, change) => {
    expect(judgeExit(view(change))).toEqual({ kind: 'continue' });
  });

  it('S5: a silent holder makes it flat_unconfirmed, and names it', () => {
    const drain = { haltedMs: 1_000, horizonMs: HORIZON_MS, silentHolders: ['strategy-1'] };
    expect(judgeExit(view({ drain }))).toMatchObject({ kind: 'completed', verdict: 'flat_unconfirmed', silentHolders: ['strategy-1'] });
  });

  it("S5: a silent holder stops mattering once the venue's own order expiry has passed, and not before", () => {
    const drain = { haltedMs: 1_000, horizonMs: HORIZON_MS, silentHolders: ['strategy-1'] };
    const capabilities = { ...CAPABILITIES, orderExpiryMs: 2_000 };
    expect(judgeExit(view({ drain, capabilities }))).toMatchObject({ verdict: 'flat_unconfirmed' });
    expect(judgeExit(view({ drain, capabilities, quietReadsMs: [6_000, 7_000] }))).toMatchObject({ verdict: 'flat' });
  });

  it('S5: what is too small to close is dust, and is named', () => {
    const book = { ...BOOK, positions: [{ symbol: 'A', positionSide: 'net', quantity: 0.5 } as const] };
    expect(judgeExit(view({ book }))).toMatchObject({ verdict: 'dust', residue: [{ symbol: 'A', quantity: 0.5 }] });
  });

  it('S6: at the deadline it escalates and is not over', () => {
    expect(judgeExit(view({ quietReadsMs: [], deadlineMs: 6_100 }))).toMatchObject({ kind: 'escalate', verdict: 'deadline_passed' });
    expect(judgeExit(view({ quietReadsMs: [], deadlineMs: 6_101 }))).toEqual({ kind: 'continue' });
  });

  it('S4: a lost close that can be found by no means is for a person', () => {
    const [key, leg] = [...outstanding()][0] ?? [];
    if (key === undefined || leg?.last === undefined) throw new Error('no leg');
    const legs = new Map([[key, { ...leg, last: { ...leg.last, fate: { kind: 'unknown', notFound: 1, nextQueryMs: 0 } as const } }]]);
    const helpless = { ...CAPABILITIES, reduceOnly: 'rejected', clientOrderIds: 'none' } as const;
    expect(judgeExit(view({ legs, quietReadsMs: [], capabilities: helpless }))).toMatchObject({
      kind: 'escalate',
      verdict: 'operator_needed',
    });
    for (const help of [{ reduceOnly: 'enforced' }, { clientOrderIds: 'forever' }, { orderExpiryMs: 500 }] as const) {
      expect(judgeExit(view({ legs, quietReadsMs: [], capabilities: { ...helpless, ...help } }))).toEqual({ kind: 'continue' });
    }
  });
});
