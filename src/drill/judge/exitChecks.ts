/** Checks on the exit: the halt comes first, the book ends flat, nothing is made worse, and `flat` is never said too early. */
import { bookAt, emptySinceMs, fillsOf, increasedExposure, ordersFrom } from '../../rig/books.js';
import {
  boundOfEmptyBookMs,
  CONCURRENCY,
  check,
  type Evidence,
  firstFlat,
  firstPanic,
  haltSeenMs,
  lastCompletion,
  ms,
  TOLERANCE_MS,
} from './evidence.js';

/** The workers of a drill send under their own names. */
export function isExitWorker(source: string): boolean {
  return source.startsWith('exit-worker');
}

/** Fills of the exit that made a position larger or turned it round. */
export function exposureIncreased(evidence: Evidence): number {
  return fillsOf(evidence.events, evidence.account, isExitWorker).filter(increasedExposure).length;
}

/** Positions that the exit sold or bought back more than they held when it began on them. */
export function closedTwice(evidence: Evidence): number {
  const begun = new Map<string, { held: number; closed: number }>();
  for (const event of evidence.events) {
    if (event.kind !== 'fill' || event.account !== evidence.account) continue;
    const key = `${event.symbol}/${event.positionSide}`;
    const leg = begun.get(key);
    if (isExitWorker(event.source)) {
      const entry = leg ?? { held: Math.abs(event.positionBefore), closed: 0 };
      entry.closed += event.quantity;
      begun.set(key, entry);
    } else if (leg !== undefined) {
      // A late fill of the strategy changes what there is to close.
      leg.held += Math.abs(event.positionAfter) - Math.abs(event.positionBefore);
    }
  }
  return [...begun.values()].filter((leg) => leg.closed > leg.held + 1e-9).length;
}

export const haltFirst = check('S1.halt-first', 'the halt stands before the first close is sent', (evidence) => {
  const haltMs = haltSeenMs(evidence);
  const first = ordersFrom(evidence.events, evidence.account, isExitWorker)[0];
  if (first === undefined) return { missing: 'no close arrived at the venue' };
  if (haltMs === undefined) return { passed: false, evidence: 'closes were sent and no halt was ever seen' };
  // Our own sight of the halt may be late by as much as this process was stalled.
  const toleranceMs = 5 + evidence.stallMs(first.atMs - TOLERANCE_MS, first.atMs + TOLERANCE_MS);
  return {
    passed: haltMs <= first.atMs + toleranceMs,
    evidence: `halt seen ${ms(first.atMs - haltMs)} before the first close arrived (tolerance ${ms(toleranceMs)})`,
  };
});

export const neverWorse = check('S4', 'the exit never increases an exposure, flips a sign or closes twice', (evidence) => {
  const fills = fillsOf(evidence.events, evidence.account, isExitWorker);
  if (fills.length === 0) return { missing: 'the exit closed nothing' };
  const worse = exposureIncreased(evidence);
  const twice = closedTwice(evidence);
  return {
    passed: worse === 0 && twice === 0,
    evidence: `${fills.length} fills of the exit, ${worse} made it worse, ${twice} closed twice`,
  };
});

export const bookFlat = check('S5', 'flat is said, and at the venue it is and stays so', (evidence) => {
  const said = firstFlat(evidence);
  if (said === undefined) {
    const verdicts = [...evidence.bus.completions, ...evidence.bus.escalations].map((seen) => seen.value.verdict);
    return { missing: `no flat was said (verdicts: ${verdicts.join(', ') || 'none'})` };
  }
  const atVerdict = bookAt(evidence.events, evidence.account, said.atMs);
  const atEnd = bookAt(evidence.events, evidence.account);
  const sizes = [atVerdict.positions.size, atVerdict.openOrders.size, atEnd.positions.size, atEnd.openOrders.size];
  return {
    passed: sizes.every((size) => size === 0),
    evidence: `when flat was said: ${sizes[0]} positions, ${sizes[1]} orders; at the end: ${sizes[2]} positions, ${sizes[3]} orders`,
  };
});

export const flatNotEarly = check(
  'S5.horizon',
  'flat is not said before the horizon, two readings and every drained holder',
  (evidence) => {
    const said = firstFlat(evidence);
    const haltMs = haltSeenMs(evidence);
    if (said === undefined) return { missing: 'no flat was said' };
    if (haltMs === undefined) return { passed: false, evidence: 'flat was said and no halt was ever seen' };
    const { leaseTtlMs, brokerTimeoutMs } = evidence.promised;
    const horizonMs = haltMs + leaseTtlMs + brokerTimeoutMs;
    const slackMs = 5 + evidence.stallMs(haltMs - TOLERANCE_MS, haltMs + TOLERANCE_MS);
    const reads = evidence.events.filter(
      (event) =>
        event.kind === 'read' &&
        isExitWorker(event.source) &&
        event.outcome === 'answered' &&
        event.count === 0 &&
        event.atMs >= horizonMs - slackMs &&
        event.atMs <= said.atMs,
    );
    const positionReads = reads.filter((event) => event.kind === 'read' && event.what === 'positions').length;
    const orderReads = reads.filter((event) => event.kind === 'read' && event.what === 'orders').length;
    const drained = evidence.bus.holders.some(
      (seen) =>
        seen.atMs <= said.atMs && seen.atMs >= haltMs - slackMs && seen.value.event === 'drained' && seen.value.unknownOutcomes === 0,
    );
    return {
      passed: said.atMs >= horizonMs - slackMs && positionReads >= 2 && orderReads >= 2 && drained,
      evidence: `${ms(said.atMs - horizonMs)} after the horizon of ${ms(leaseTtlMs + brokerTimeoutMs)}, ${positionReads} and ${orderReads} empty readings of positions and orders, holder drained: ${drained ? 'yes' : 'no'}`,
    };
  },
);

export const panicCarriedOut = check('S6', 'the panic is carried out and acknowledged only then', (evidence) => {
  const panic = firstPanic(evidence);
  if (panic === undefined) return { missing: 'no panic was seen' };
  const completion = lastCompletion(evidence);
  const done = completion !== undefined && completion.atMs >= panic.atMs;
  if (!done) return { passed: false, evidence: `no completion ${ms(evidence.marks.endMs - panic.atMs)} after the panic` };
  if (evidence.unacknowledged === undefined) return { missing: 'the list of unacknowledged panics could not be read' };
  return {
    passed: evidence.unacknowledged === 0,
    evidence: `completed as ${completion.value.verdict}, ${evidence.unacknowledged} sends not acknowledged`,
  };
});

export const haltLatched = check('S7', 'trading is halted at the end, by a halt that names the incident', (evidence) => {
  const last = evidence.bus.states.at(-1)?.value;
  if (last === undefined) return { missing: 'no trading state was seen' };
  if (firstPanic(evidence) === undefined) return { missing: 'no panic was seen' };
  const exit = last.halts.find((halt) => halt.kind === 'exit' && halt.incident !== undefined);
  return {
    passed: last.mode === 'HALTED' && exit !== undefined,
    evidence: `${last.mode}, halts: ${last.halts.map((halt) => halt.kind).join(', ') || 'none'}`,
  };
});

function endedWhileCanceled({ events, account }: Evidence): number {
  return events.filter(
    (event) => event.kind === 'cancel_answered' && event.account === account && isExitWorker(event.source) && event.result !== 'canceled',
  ).length;
}

export const bookEmptyInTime = check('L2', 'from the panic to the empty book', (evidence) => {
  const panic = firstPanic(evidence);
  if (panic === undefined) return { missing: 'no panic was seen' };
  const emptyMs = emptySinceMs(evidence.events, evidence.account, panic.atMs);
  if (emptyMs === undefined) return { passed: false, evidence: 'the book was not empty at the end' };
  // What such an order filled is not known, so its position waits for a reading that the venue's lag cannot have made old.
  const ended = endedWhileCanceled(evidence);
  const boundMs = boundOfEmptyBookMs(evidence) + (ended > 0 ? evidence.promised.doubtMs : 0);
  const toleranceMs = evidence.stallMs(panic.atMs, emptyMs);
  const held = ended > 0 ? `, ${ended} orders ended by themselves while they were cancelled` : '';
  const tookMs = emptyMs - panic.atMs;
  return {
    passed: tookMs <= boundMs + toleranceMs,
    evidence: `${ms(tookMs)}, at most ${ms(boundMs)} (own stall ${ms(toleranceMs)})${held}`,
    figure: { ms: tookMs, boundMs, stallMs: toleranceMs },
  };
});

export const flatInTime = check('L2.flat', 'from the panic to flat verified', (evidence) => {
  const panic = firstPanic(evidence);
  const said = firstFlat(evidence);
  if (panic === undefined || said === undefined) return { missing: 'no panic, or no flat, was seen' };
  const boundMs = evidence.promised.exitDeadlineMs;
  const toleranceMs = TOLERANCE_MS + evidence.stallMs(panic.atMs, said.atMs);
  return { passed: said.atMs - panic.atMs <= boundMs + toleranceMs, evidence: `${ms(said.atMs - panic.atMs)}, at most ${ms(boundMs)}` };
});

export const takenOver = check('L6', 'another worker takes over and finishes', (evidence) => {
  const { workerKilledMs } = evidence.marks;
  if (workerKilledMs === undefined) return { missing: 'no worker was killed' };
  const emptyMs = emptySinceMs(evidence.events, evidence.account, workerKilledMs);
  if (emptyMs === undefined) return { passed: false, evidence: 'the book was not empty at the end' };
  const { claimMs } = evidence.promised;
  const rounds = Math.ceil(evidence.positions / CONCURRENCY) + 4;
  const boundMs = claimMs * 1.25 + rounds * evidence.venueLatencyMs * 1.25 + 250;
  const toleranceMs = evidence.stallMs(workerKilledMs, emptyMs);
  return {
    passed: emptyMs - workerKilledMs <= boundMs + toleranceMs,
    evidence: `book empty ${ms(emptyMs - workerKilledMs)} after the worker died, at most ${ms(boundMs)} (own stall ${ms(toleranceMs)})`,
  };
});

export const notAcknowledgedEarly = check(
  'S6.ack',
  'while the exit is under way its panic is not acknowledged',
  ({ pendingWhenWorkerDied }) => {
    if (pendingWhenWorkerDied === undefined) return { missing: 'no worker was killed, or the group could not be read' };
    return { passed: pendingWhenWorkerDied > 0, evidence: `${pendingWhenWorkerDied} unacknowledged deliveries when the worker died` };
  },
);
