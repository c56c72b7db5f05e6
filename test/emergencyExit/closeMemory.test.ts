/** What a process knows of its own closes from one run to the next, and when it may rely on it. */
import { describe, expect, it } from 'vitest';
import { CloseMemory } from '../../src/emergencyExit/closeMemory.js';
import { inheritLegs, newLeg, withReport, withSent } from '../../src/emergencyExit/legs.js';

const sent = withSent(newLeg('AAPL', 'net'), { number: 1, clientOrderId: 'p-AAPL-1', side: 'sell', quantity: 10, sentMs: 100 }, 10, 150);
const refused = withReport(sent, { orderId: '', status: 'rejected', filledQuantity: 0 }, 120, 150);
const writtenDown = () =>
  inheritLegs(
    [
      {
        incident: 'i',
        account: 'a',
        symbol: 'AAPL',
        positionSide: 'net',
        side: 'sell',
        quantity: 10,
        attempt: 1,
        clientOrderId: 'p-AAPL-1',
        fencingToken: 1,
        worker: 'w1',
        wallMs: 0,
        ended: false,
      },
    ],
    5_000,
  );

/** What a run under `second` knows of the close that an earlier run under `first` knew as `leg`. */
function recalled(leg: typeof sent, first: number | undefined, second: number | undefined, isOver = false) {
  const memory = new CloseMemory();
  const legs = writtenDown();
  memory.remember(new Map([[leg.key, leg]]), { orderPrefix: 'p', ...(first === undefined ? {} : { turn: first }) }, isOver);
  memory.recall(legs, { orderPrefix: 'p', ...(second === undefined ? {} : { turn: second }) }, 5_000);
  return legs.get(leg.key)?.last;
}

describe('what is known of closes from run to run', () => {
  it('S4, S9: how long an answer has been awaited counts on where nobody else had the claim, and from now on where somebody had', () => {
    expect(recalled(sent, 3, 4)?.sentMs).toBe(100);
    expect(recalled(sent, 3, 5)?.sentMs).toBe(5_000);
    expect(recalled(sent, undefined, 5)?.sentMs).toBe(5_000);
    expect(recalled(sent, 3, undefined)?.sentMs).toBe(100);
  });

  it('S4, S9: that a close has ended is known where nobody can have sent it again', () => {
    expect(recalled(refused, 3, 4)?.fate.kind).toBe('terminal');
    expect(recalled(refused, 3, 5)?.fate.kind).toBe('unknown');
    expect(recalled(refused, 3, undefined)?.fate.kind).toBe('unknown');
    expect(recalled(refused, undefined, 4)?.fate.kind).toBe('unknown');
    expect(recalled(refused, 3, 4, true)?.fate.kind).toBe('unknown');
  });
});
