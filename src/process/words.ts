/** What is told of a shutdown in one line on standard error. */
import { messageOf } from '../errors.js';
import type { UnfinishedEntry } from '../shutdownGate/protocol.js';

export interface Unfinished {
  readonly orders: readonly UnfinishedEntry[];
  /** Orders of other threads, known by their number alone. */
  readonly ordersElsewhere: number;
  readonly loops: readonly string[];
  readonly hooks: readonly string[];
}

/** So many orders stand in one line: more would not fit through a pipe at once. */
const TOLD_ORDERS = 100;

function listOf(what: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${what}: ${items.join(', ')}`];
}

function ordersOf(orders: readonly UnfinishedEntry[]): string[] {
  const told = orders
    .slice(0, TOLD_ORDERS)
    .map(({ label, state, ageMs }) => `${JSON.stringify(label)} (${state}, ${Math.round(ageMs)} ms)`);
  if (orders.length > TOLD_ORDERS) told.push(`and ${orders.length - TOLD_ORDERS} more`);
  return listOf('orders without an answer', told);
}

/** Undefined when nothing is left over. */
export function leftOver({ orders, ordersElsewhere, loops, hooks }: Unfinished): string | undefined {
  const parts = [
    ...ordersOf(orders),
    ...listOf('orders in flight in other threads', ordersElsewhere === 0 ? [] : [String(ordersElsewhere)]),
    ...listOf(
      'loops that did not return',
      loops.map((name) => JSON.stringify(name)),
    ),
    ...listOf(
      'hooks that did not end well',
      hooks.map((name) => JSON.stringify(name)),
    ),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** What to print of anything that was thrown: where it came from, if it says so. */
export function stackOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error && typeof thrown.stack === 'string') return thrown.stack;
  } catch {
    // A stack that cannot be read is left out.
  }
  return messageOf(thrown);
}
