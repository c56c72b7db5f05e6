/** Finds orders that began although their sender had seen a halt, or must have. */
import { type OrderOperation, type RegisterOperation, surelyBy } from './operation.js';

/** Refusals that say that the sender has seen a halt, and not only that its permission has lapsed. */
const SAYS_HALTED = ['trading_halted', 'trading_reducing', 'exit_in_progress'];

export interface AfterHaltOptions {
  /** So long after its acknowledgement a halt must be known to everyone, or their permission has lapsed. In milliseconds. */
  readonly knownWithinMs: number;
}

export interface AfterHalt {
  /** Orders that were held against a halt. None: nothing is proven. */
  readonly judged: number;
  readonly violations: readonly string[];
}

/**
 * An order is in order again where a re-arm that did not fail began before it and had not ended when the halt came that was seen. A sender
 * that refuses for another moment because it has not heard of the re-arm yet is on the safe side.
 */
export function ordersAfterHalt(
  orders: readonly OrderOperation[],
  register: readonly RegisterOperation[],
  { knownWithinMs }: AfterHaltOptions,
): AfterHalt {
  const rearms = register.filter((operation) => operation.kind === 'rearm' && operation.outcome !== 'fail');
  const halts = register.filter((operation) => operation.kind === 'halt' && operation.outcome === 'ok');
  const isArmedAgain = (sinceMs: number, atMs: number) => rearms.some((rearm) => rearm.invokedMs < atMs && surelyBy(rearm) > sinceMs);
  const cameMs = register.flatMap((operation) => (operation.kind === 'halt' && operation.outcome !== 'fail' ? [operation.invokedMs] : []));
  /** When the newest halt came that a refusal then can have been for. */
  const causeMs = (refusedMs: number) => {
    const earlier = cameMs.filter((ms) => ms <= refusedMs);
    return earlier.length === 0 ? refusedMs : Math.max(...earlier);
  };
  const seenMs = new Map<string, number>();
  const violations: string[] = [];
  let judged = 0;
  for (const { strategy, atMs, result, code } of orders.toSorted((a, b) => a.atMs - b.atMs)) {
    if (result === 'refused') {
      if (code !== undefined && SAYS_HALTED.includes(code)) seenMs.set(strategy, atMs);
      if (halts.some(({ endedMs }) => endedMs < atMs)) judged += 1;
      continue;
    }
    const own = seenMs.get(strategy);
    const known = halts.findLast(({ invokedMs, endedMs }) => endedMs + knownWithinMs < atMs && !isArmedAgain(invokedMs, atMs));
    if (own !== undefined || known !== undefined) judged += 1;
    if (own !== undefined && !isArmedAgain(causeMs(own), atMs))
      violations.push(`${strategy} began an order at ${atMs.toFixed(1)} ms, and had itself refused for a halt at ${own.toFixed(1)} ms`);
    else if (known?.kind === 'halt')
      violations.push(
        `${strategy} began an order at ${atMs.toFixed(1)} ms, ${(atMs - known.endedMs).toFixed(0)} ms after ${known.haltId} was acknowledged`,
      );
  }
  return { judged, violations };
}
