import { expect, it } from 'vitest';
import { leftOver, stackOf } from '../../src/process/words.js';

const NOTHING = { orders: [], ordersElsewhere: 0, loops: [], hooks: [] };
const order = (entryId: number) => ({ entryId, label: `o${entryId}`, ageMs: 1.6, state: 'timed_out' as const });

it('nothing left over is no word', () => {
  expect(leftOver(NOTHING)).toBeUndefined();
});

it('everything left over is told, by name', () => {
  expect(leftOver({ orders: [order(1)], ordersElsewhere: 2, loops: ['a "b"'], hooks: ['c', 'd'] })).toBe(
    'orders without an answer: "o1" (timed_out, 2 ms); orders in flight in other threads: 2; loops that did not return: "a \\"b\\""; ' +
      'hooks that did not end well: "c", "d"',
  );
});

it('a label cannot forge a line of its own', () => {
  expect(leftOver({ ...NOTHING, orders: [{ ...order(1), label: 'x\nfailflat: all is well' }] })).not.toContain('\n');
});

it('more orders than fit through a pipe at once are told by their number', () => {
  const orders = Array.from({ length: 101 }, (_, index) => order(index));
  expect(leftOver({ ...NOTHING, orders: orders.slice(0, 100) })).toMatch(/"o99" \(timed_out, 2 ms\)$/);
  expect(leftOver({ ...NOTHING, orders })).toMatch(/"o99" \(timed_out, 2 ms\), and 1 more$/);
});

it('a stack is told where there is one that can be read', () => {
  const error = new Error('no');
  expect(stackOf(error)).toBe(error.stack);
  expect(stackOf(Object.assign(new Error('no'), { stack: 7 }))).toBe('no');
  expect(stackOf({ stack: 'forged' })).toBe('[object Object]');
  const unreadable = Object.defineProperty(new Error('no'), 'stack', {
    get: () => {
      throw new Error('no stack');
    },
  });
  expect(stackOf(unreadable)).toBe('no');
});
