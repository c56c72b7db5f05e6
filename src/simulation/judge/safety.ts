/** The promises about what must never happen, judged after a run from what was seen from outside. */
import type { VenueEvent } from '../../brokers/paper/index.js';
import type { FaultKind } from '../faults/schedule.js';
import { ORDER_RATE_MAX, ORDER_WINDOW_MS } from '../world/parts.js';
import { timingsOf } from '../world/timings.js';
import { type RunView, TOLERANCE_MS } from './view.js';
import type { Violation } from './violation.js';

/** A beat travels, and whoever waits for the next one looks again a little later. */
const HEARING_BEATS = 2;

/** S1, S3, S7, L3, L4: once trading was stopped, no order leaves a door after the longest lease, whatever happens to bus, clocks and processes. */
export function ordersAfterStop({ world, witness }: RunView): Violation[] {
  const stopped = witness.states.find(({ state }) => state.mode !== 'ACTIVE');
  if (stopped === undefined) return [];
  const untilMs = stopped.atMs + timingsOf(world.setup).lease.ttlMs + TOLERANCE_MS;
  const late = world.sent.find(({ atMs, intent }) => intent === 'increase' && atMs > untilMs);
  if (late === undefined) return [];
  const detail = `${late.process} sent ${late.clientOrderId} ${Math.round(late.atMs - stopped.atMs)} ms after trading had been stopped`;
  return [{ promise: 'S7', atMs: late.atMs, detail }];
}

/** L4: without a watchdog whose beats reach the bus, no order leaves a door. */
export function ordersUnwatched({ world, witness }: RunView): Violation[] {
  const { lease, peerBeatMs } = timingsOf(world.setup);
  const allowedMs = lease.peerLivenessMs + lease.ttlMs + HEARING_BEATS * peerBeatMs;
  const beats = witness.watchdogBeatsMs;
  let index = 0;
  for (const { atMs, intent, process, clientOrderId } of world.sent) {
    if (intent !== 'increase') continue;
    while (index + 1 < beats.length && (beats[index + 1] ?? Infinity) <= atMs) index += 1;
    const silentMs = atMs - (beats[index] ?? 0);
    if (silentMs > allowedMs)
      return [{ promise: 'L4', atMs, detail: `${process} sent ${clientOrderId} with no watchdog heard for ${Math.round(silentMs)} ms` }];
  }
  return [];
}

/** S1: once a breaker has tripped in a process, it sends no order, and before that none beyond the limit. */
export function ordersBeyondBreakers({ world }: RunView): Violation[] {
  for (const { atMs: tripMs, holder } of world.trips) {
    const late = world.sent.find((order) => order.holder === holder && order.atMs > tripMs);
    if (late !== undefined)
      return [
        {
          promise: 'S1',
          atMs: late.atMs,
          detail: `${late.clientOrderId} left the door ${Math.round(late.atMs - tripMs)} ms after a breaker had tripped`,
        },
      ];
  }
  const { sent, capsOrderRate } = world;
  if (!capsOrderRate) return [];
  const beyond = sent.find((order, index) => {
    const first = sent[index - ORDER_RATE_MAX];
    return first?.holder === order.holder && order.atMs - first.atMs < ORDER_WINDOW_MS - TOLERANCE_MS;
  });
  if (beyond === undefined) return [];
  return [
    { promise: 'S1', atMs: beyond.atMs, detail: `${beyond.holder} sent more than ${ORDER_RATE_MAX} orders in ${ORDER_WINDOW_MS} ms` },
  ];
}

/** What may make a bus forget what it has acknowledged, or nobody understand it. */
export const FORGETS: readonly FaultKind[] = ['bus-loss', 'bus-failover'];

/** S7: a trip that stands on the bus outlives the process. */
export function ordersAfterStoredTrip({ world, witness, strokes }: RunView): Violation[] {
  const [storedMs] = witness.stored;
  if (storedMs === undefined || strokes.some(({ fault }) => FORGETS.includes(fault.kind))) return [];
  const late = world.sent.find(({ atMs }) => atMs > storedMs + TOLERANCE_MS);
  if (late === undefined) return [];
  return [{ promise: 'S7', atMs: late.atMs, detail: `${late.holder} sent ${late.clientOrderId} although a trip stood on the bus` }];
}

function isExitFill(event: VenueEvent): event is Extract<VenueEvent, { kind: 'fill' }> {
  return event.kind === 'fill' && event.source.startsWith('worker');
}

/** S4: an exit's order never increases an exposure and never flips a sign. */
export function exitFills({ witness }: RunView): Violation[] {
  const wrong = witness.venueEvents().find((event) => {
    if (!isExitFill(event)) return false;
    const { positionBefore: before, positionAfter: after } = event;
    return Math.abs(after) > Math.abs(before) || before * after < 0;
  });
  if (wrong === undefined || !isExitFill(wrong)) return [];
  const detail = `${wrong.source} took ${wrong.symbol} from ${wrong.positionBefore} to ${wrong.positionAfter}`;
  return [{ promise: 'S4', atMs: wrong.atMs, detail }];
}

/** S5: flat is flat in the venue's own books, then and for good. */
export function falseFlat({ witness }: RunView): Violation[] {
  const said = witness.completions.filter(({ completion }) => completion.verdict === 'flat');
  const violations: Violation[] = [];
  for (const { atMs, positions, orders } of said) {
    if (positions + orders > 0)
      violations.push({ promise: 'S5', atMs, detail: `flat was said with ${positions} positions and ${orders} orders in the books` });
  }
  const first = said[0];
  const later = first === undefined ? undefined : witness.venueEvents().find((event) => event.kind === 'fill' && event.atMs > first.atMs);
  if (later?.kind === 'fill')
    violations.push({ promise: 'S5', atMs: later.atMs, detail: `${later.source} filled ${later.symbol} after flat was said` });
  return violations.slice(0, 1);
}

/** S1: an exit halts before it closes, unless the halt was tried for as long as its patience lasts. */
export function closesBeforeHalt({ world, witness }: RunView): Violation[] {
  const close = witness
    .venueEvents()
    .find((event) => event.kind === 'request' && event.what === 'submit' && event.source.startsWith('worker'));
  if (close === undefined) return [];
  const stoppedMs = witness.states.find(({ state }) => state.mode !== 'ACTIVE')?.atMs ?? Infinity;
  const panicMs = witness.panics[0]?.atMs ?? close.atMs;
  if (stoppedMs <= close.atMs || close.atMs - panicMs > timingsOf(world.setup).exit.haltPatienceMs - TOLERANCE_MS) return [];
  return [
    {
      promise: 'S1',
      atMs: close.atMs,
      detail: `a close was sent ${Math.round(close.atMs - panicMs)} ms after the panic and before any halt`,
    },
  ];
}

/** S6: a panic is acknowledged only after its completion is recorded. */
export function earlyAcks({ witness }: RunView): Violation[] {
  const early = witness.acks.find(({ completions }) => completions === 0);
  return early === undefined
    ? []
    : [{ promise: 'S6', atMs: early.atMs, detail: 'a panic was acknowledged before any completion was recorded' }];
}

/** S7: no halt goes away and no epoch rises, for nobody re-arms here. A server that lost both may be told of them again. */
export function clearedHalts({ witness }: RunView): Violation[] {
  let before: (typeof witness.states)[number] | undefined;
  for (const seen of witness.states) {
    const { state, atMs } = seen;
    const last = before?.state;
    before = seen;
    if (state.epoch > 1) return [{ promise: 'S7', atMs, detail: `${state.changedBy} raised the epoch to ${state.epoch}` }];
    if (last !== undefined && last.mode !== 'ACTIVE' && state.mode === 'ACTIVE')
      return [{ promise: 'S7', atMs, detail: `${state.changedBy} made trading ACTIVE again` }];
  }
  return [];
}

/** S8: no watchdog panics about a brain whose beats reach the bus in time and say that all is well. */
export function falsePanics({ world, witness }: RunView): Violation[] {
  const { unguardedMs, decisionStaleMs, maxGenerations } = timingsOf(world.setup).rules;
  const marginMs = 100;
  const first = witness.panics.find(({ panic }) => panic.issuedBy === 'watchdog');
  if (first === undefined) return [];
  const heard = witness.brainBeats.filter(({ atMs }) => atMs <= first.atMs);
  const recent = heard.filter(({ atMs }) => atMs > first.atMs - 2 * decisionStaleMs);
  const last = heard.at(-1);
  if (last === undefined || first.atMs - last.atMs > unguardedMs - marginMs) return [];
  const isDegraded = recent.some(({ beat, atMs }) => beat.status !== 'OK' && atMs > first.atMs - 20_000);
  if (isDegraded || new Set(recent.map(({ beat }) => beat.generation)).size >= maxGenerations) return [];
  const decided = recent.findLast(({ beat }, index) => beat.decisionSequence > (recent[index - 1]?.beat.decisionSequence ?? -1));
  if (decided === undefined || first.atMs - decided.atMs > decisionStaleMs - 1_000) return [];
  const detail = `${first.panic.by} panicked (${first.panic.reason}) ${Math.round(first.atMs - last.atMs)} ms after a beat that said that all is well`;
  return [{ promise: 'S8', atMs: first.atMs, detail }];
}

/** S9: watchdogs, restarts and replays make one panic of one failure. */
export function severalPanics({ witness }: RunView): Violation[] {
  const ids = new Set<string>();
  for (const { atMs, panic } of witness.panics) {
    if (panic.issuedBy !== 'watchdog') continue;
    ids.add(panic.eventId);
    if (ids.size > 1) return [{ promise: 'S9', atMs, detail: `${panic.by} sent a second panic for epoch ${panic.epoch}` }];
  }
  const incidents = new Set(witness.completions.map(({ completion }) => completion.incident));
  const last = witness.completions.at(-1);
  if (incidents.size <= 1 || last === undefined) return [];
  return [{ promise: 'S9', atMs: last.atMs, detail: `several incidents of one failure: ${[...incidents].join(', ')}` }];
}

/** S10: a cancel is let through in every trading state. */
export function refusedCancels({ world }: RunView): Violation[] {
  const [refused] = world.refusedCancels;
  return refused === undefined ? [] : [{ promise: 'S10', atMs: refused.atMs, detail: `a cancel was refused: ${refused.code}` }];
}

export const SAFETY_ORACLES = [
  ordersAfterStop,
  ordersUnwatched,
  ordersBeyondBreakers,
  ordersAfterStoredTrip,
  exitFills,
  falseFlat,
  closesBeforeHalt,
  earlyAcks,
  clearedHalts,
  falsePanics,
  severalPanics,
  refusedCancels,
];
