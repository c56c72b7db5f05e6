/** The checkers of orders, panics and positions: each bad history turns its own one red, and good ones leave it green. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ordersAfterHalt } from '../../../src/chaos/history/afterHalt.js';
import type { OperationOutcome, OrderOperation, PanicOperation, RegisterOperation } from '../../../src/chaos/history/operation.js';
import { lostPanics } from '../../../src/chaos/history/panics.js';
import { zeroCrossings } from '../../../src/chaos/history/positions.js';

const halt = (invokedMs: number, endedMs: number, outcome: OperationOutcome = 'ok'): RegisterOperation => ({
  kind: 'halt',
  client: 'writer',
  haltId: `halt-${invokedMs}`,
  invokedMs,
  endedMs,
  outcome,
});
const rearm = (invokedMs: number, endedMs: number, outcome: OperationOutcome = 'ok'): RegisterOperation => ({
  kind: 'rearm',
  client: 'admin',
  clears: [],
  invokedMs,
  endedMs,
  outcome,
});
const admitted = (atMs: number, strategy = 's'): OrderOperation => ({ strategy, atMs, result: 'admitted' });
const refused = (atMs: number, code = 'trading_halted', strategy = 's'): OrderOperation => ({ strategy, atMs, result: 'refused', code });

const KNOWN = { knownWithinMs: 100 };

describe('orders after an observed halt', () => {
  it.each<[string, readonly OrderOperation[], readonly RegisterOperation[]]>([
    ['refused ever after', [admitted(1), refused(20), refused(500)], [halt(10, 11)]],
    ['sent while the halt was on its way', [admitted(60), refused(90)], [halt(10, 11)]],
    ['sent after a re-arm', [refused(20), admitted(300)], [halt(10, 11), rearm(100, 250)]],
    ['sent as soon as the re-arm let it, before its answer came', [refused(20), admitted(200)], [halt(10, 11), rearm(100, 250)]],
    [
      'refused for a moment behind the re-arm, before it was heard of',
      [refused(20), refused(255), admitted(300)],
      [halt(10, 11), rearm(100, 250)],
    ],
    ['a lapsed lease is no halt', [refused(20, 'lease_expired'), admitted(30)], []],
    ['a halt of which nobody knows binds nobody', [admitted(500)], [halt(10, 11, 'info')]],
  ])('green: %s', (_, orders, register) => {
    expect(ordersAfterHalt(orders, register, KNOWN).violations).toEqual([]);
  });

  it.each<[string, readonly OrderOperation[], readonly RegisterOperation[]]>([
    ['its sender had refused for the halt', [refused(20), admitted(30)], [halt(10, 11)]],
    ['everyone must have known by then', [admitted(200)], [halt(10, 11)]],
    ['the re-arm had failed', [refused(20), admitted(300)], [halt(10, 11), rearm(100, 250, 'fail')]],
    ['the re-arm had ended before the halt', [admitted(500)], [rearm(1, 5), halt(10, 11)]],
    [
      'its sender had refused for another halt behind the re-arm',
      [refused(310), admitted(320)],
      [halt(10, 11), rearm(100, 250), halt(300, 305)],
    ],
    ['another halt came behind the re-arm', [admitted(900)], [halt(10, 11), rearm(100, 250), halt(300, 301)]],
  ])('red: %s', (_, orders, register) => {
    expect(ordersAfterHalt(orders, register, KNOWN).violations).toHaveLength(1);
  });

  it('holds each strategy to what it has seen itself', () => {
    const orders = [refused(20, 'trading_halted', 'one'), admitted(25, 'other'), admitted(30, 'one')];
    expect(ordersAfterHalt(orders, [], KNOWN).violations).toEqual([expect.stringContaining('one began an order at 30.0 ms')]);
  });

  it('without a halt nothing was judged', () => {
    expect(ordersAfterHalt([admitted(1)], [], KNOWN)).toEqual({ judged: 0, violations: [] });
  });
});

describe('acknowledged panics', () => {
  const panic = (eventId: string, outcome: OperationOutcome = 'ok'): PanicOperation => ({
    kind: 'panic',
    client: 'operator',
    eventId,
    invokedMs: 10,
    endedMs: 12,
    outcome,
  });

  it('stand at the end, and are carried out', () => {
    expect(lostPanics([panic('a')], { standing: ['a'], completedMs: [50] })).toEqual({ acknowledged: 1, violations: [] });
  });

  it.each([
    ['gone from the bus', { standing: [], completedMs: [50] }, 'no longer on the bus'],
    ['never carried out', { standing: ['a'], completedMs: [5] }, 'never carried out'],
  ])('red: %s', (_, record, said) => {
    expect(lostPanics([panic('a')], record).violations).toEqual([expect.stringContaining(said)]);
  });

  it('one of which nobody knows may be gone', () => {
    expect(lostPanics([panic('a', 'info'), panic('b', 'fail')], { standing: [], completedMs: [] })).toEqual({
      acknowledged: 0,
      violations: [],
    });
  });

  it('whatever subset of them stands, exactly the others are lost', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 12 }), fc.integer({ min: 0, max: 12 }), (ids, kept) => {
        const standing = ids.slice(0, kept);
        const { violations } = lostPanics(
          ids.map((id) => panic(id)),
          { standing, completedMs: [50] },
        );
        expect(violations).toHaveLength(ids.length - standing.length);
      }),
    );
  });
});

describe('positions', () => {
  const step = (before: number, after: number) => ({ symbol: 'AAPL', by: 'exit-worker-1', before, after });

  it.each([
    [0, 10],
    [10, 0],
    [0, -3],
    [-3, -1],
    [5, 9],
    [1e-12, -4],
  ])('green: from %d to %d', (before, after) => {
    expect(zeroCrossings([step(before, after)]).violations).toEqual([]);
  });

  it.each([
    [10, -1],
    [-1, 10],
  ])('red: from %d to %d', (before, after) => {
    expect(zeroCrossings([step(before, after)]).violations).toEqual([`exit-worker-1 took AAPL from ${before} to ${after}`]);
  });

  it('a walk that stops at zero never crosses it, and one that does not is found', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 40 }), (moves) => {
        let [free, held] = [0, 0];
        const [walks, stops] = [[], []] as [ReturnType<typeof step>[], ReturnType<typeof step>[]];
        let crossed = 0;
        for (const move of moves) {
          if (free * (free + move) < 0) crossed += 1;
          walks.push(step(free, free + move));
          free += move;
          const next = held * (held + move) < 0 ? 0 : held + move;
          stops.push(step(held, next));
          held = next;
        }
        expect(zeroCrossings(walks).violations).toHaveLength(crossed);
        expect(zeroCrossings(stops).violations).toEqual([]);
      }),
    );
  });
});
