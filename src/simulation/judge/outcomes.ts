/** Whether every order that left the door is accounted for, judged by what the venue took and when. */
import { DEFAULT_APPEND_TIMEOUT_MS } from '../../bus/policy.js';
import { type SentOrder, STRATEGY } from '../world/ground.js';
import type { RunView } from './view.js';
import type { Violation } from './violation.js';
import type { Witness } from './witness.js';

/** A report on the bus counts what was under way so long before it got there, and stands in line behind two others. */
const REPORT_AGE_MS = 3 * DEFAULT_APPEND_TIMEOUT_MS;

/** When the venue took each order, by its client order id. */
function takenMs(witness: Witness): ReadonlyMap<string, number> {
  const taken = new Map<string, number>();
  for (const event of witness.venueEvents()) {
    if (event.kind !== 'accepted' || event.clientOrderId === undefined || taken.has(event.clientOrderId)) continue;
    taken.set(event.clientOrderId, event.atMs);
  }
  return taken;
}

/** S2: whoever says that nothing of its orders is under way has forgotten none that the venue takes later. */
export function ordersForgotten({ world, witness }: RunView): Violation[] {
  const taken = takenMs(witness);
  const forgotten = (holder: string, sentByMs: number, saidMs: number, named: readonly string[]): SentOrder | undefined =>
    world.sent.find(
      (order) =>
        order.holder === holder &&
        order.atMs <= sentByMs &&
        (taken.get(order.clientOrderId) ?? -Infinity) > saidMs &&
        !named.includes(order.clientOrderId),
    );
  for (const { atMs, report } of witness.holders) {
    const saysNothing = report.event === 'drained' || report.event === 'released';
    if (!saysNothing || report.inflight + report.unknownOutcomes > 0) continue;
    const order = forgotten(report.holderId, atMs - REPORT_AGE_MS, atMs, []);
    if (order !== undefined)
      return [
        { promise: 'S2', atMs, detail: `${report.holderId} said that it had drained, and the venue took ${order.clientOrderId} later` },
      ];
  }
  for (const { holder, ended } of world.ends) {
    if (ended === undefined) continue;
    const order = forgotten(holder, ended.atMs, ended.atMs, ended.unfinished);
    if (order !== undefined)
      return [
        { promise: 'S2', atMs: ended.atMs, detail: `${holder} ended without a word of ${order.clientOrderId}, which the venue took later` },
      ];
  }
  return [];
}

/** S2: no order is sent a second time. A copy that a network made says the same of when it was sent. */
export function ordersSentAgain({ witness, world }: RunView): Violation[] {
  if (!world.capsOrderRate) return [];
  const firstSentMs = new Map<string, number | undefined>();
  for (const event of witness.venueEvents()) {
    if (event.kind !== 'request' || event.what !== 'submit' || event.source !== STRATEGY || event.clientOrderId === undefined) continue;
    const { clientOrderId, sentMs, atMs } = event;
    if (!firstSentMs.has(clientOrderId)) firstSentMs.set(clientOrderId, sentMs);
    else if (firstSentMs.get(clientOrderId) !== sentMs) return [{ promise: 'S2', atMs, detail: `${clientOrderId} was sent again` }];
  }
  return [];
}

/** S13: what an order's sender is told is what the venue said, whoever else was told of it. */
export function outcomesChanged({ world, witness }: RunView): Violation[] {
  const taken = takenMs(witness);
  const wrong = world.told.find(({ clientOrderId, how }) => how === 'other' || (how === 'rejected' && taken.has(clientOrderId)));
  if (wrong === undefined) return [];
  const what =
    wrong.how === 'rejected'
      ? 'the venue had taken it, and its sender was told that it had not'
      : 'its sender was told something that no broker says';
  return [{ promise: 'S13', atMs: wrong.atMs, detail: `${wrong.clientOrderId}: ${what}` }];
}

/** S13: an observer that throws, rejects or hangs reaches nobody. */
export function observersEscaped({ escaped }: RunView): Violation[] {
  return escaped.slice(0, 1).map(({ atMs, detail }) => ({ promise: 'S13', atMs, detail }));
}

export const OUTCOME_ORACLES = [ordersForgotten, ordersSentAgain, outcomesChanged, observersEscaped];
