/** How soon, and on what, a strategy stops: what it knows of the state, what it hears, and an end that was asked for. */
import { DEFAULT_DRAIN_TIMEOUT_MS } from '../../shutdownGate/protocol.js';
import { STRATEGY } from '../world/ground.js';
import { GOODBYE_MS } from '../world/strategy.js';
import { timingsOf } from '../world/timings.js';
import { isCalm, strikes } from './spells.js';
import { type RunView, TOLERANCE_MS } from './view.js';
import type { Violation } from './violation.js';

/** On a healthy bus, from the halt that stands there to the last order. */
const HEARD_MS = 50;
/** So long after a fault a connection has been made anew and waits for news again. */
const RECOVERED_MS = 12_000;

/** S3: while nobody can know from the bus whether trading is allowed, no order leaves a door after the longest lease. */
export function ordersInDoubt({ world, witness }: RunView): Violation[] {
  const { ttlMs } = timingsOf(world.setup).lease;
  for (const { fromMs, untilMs } of witness.doubts) {
    const late = world.sent.find(({ atMs }) => atMs > fromMs + ttlMs + TOLERANCE_MS && atMs < untilMs);
    if (late === undefined) continue;
    const detail = `${late.process} sent ${late.clientOrderId} although the trading state could not be read for ${Math.round(late.atMs - fromMs)} ms`;
    return [{ promise: 'S3', atMs: late.atMs, detail }];
  }
  return [];
}

/** L3: on a healthy bus a halt is heard at once. */
export function haltHeardLate({ world, witness, strokes }: RunView): Violation[] {
  const halted = witness.states.find(({ state }) => state.mode !== 'ACTIVE');
  if (halted === undefined || !isCalm(strokes, halted.atMs - RECOVERED_MS, halted.atMs + HEARD_MS, strikes(STRATEGY))) return [];
  const late = world.sent.find(({ atMs }) => atMs > halted.atMs + HEARD_MS);
  if (late === undefined) return [];
  const detail = `${late.process} sent ${late.clientOrderId} ${Math.round(late.atMs - halted.atMs)} ms after a halt had been written, with nothing wrong`;
  return [{ promise: 'L3', atMs: late.atMs, detail }];
}

/** S1: whoever was told to end sends no order. */
export function ordersAfterEnd({ world }: RunView): Violation[] {
  for (const { holder, askedMs } of world.ends) {
    const late = world.sent.find((order) => order.holder === holder && order.atMs > askedMs);
    if (late !== undefined)
      return [
        {
          promise: 'S1',
          atMs: late.atMs,
          detail: `${late.clientOrderId} left the door ${Math.round(late.atMs - askedMs)} ms after SIGTERM`,
        },
      ];
  }
  return [];
}

/** L5: whoever was told to end has drained, or named what is left, within the drain's time. */
export function endsLate({ world, strokes, schedule }: RunView): Violation[] {
  for (const { holder, askedMs, ended } of world.ends) {
    const untilMs = askedMs + DEFAULT_DRAIN_TIMEOUT_MS + TOLERANCE_MS;
    const own = isCalm(
      strokes,
      askedMs + TOLERANCE_MS,
      untilMs + GOODBYE_MS,
      ({ kind, target }) => target === STRATEGY && STANDS_STILL.includes(kind),
    );
    if (untilMs > schedule.endMs || !own || (ended?.atMs ?? Infinity) <= untilMs) continue;
    return [{ promise: 'L5', atMs: untilMs, detail: `${holder} has not drained ${DEFAULT_DRAIN_TIMEOUT_MS} ms after SIGTERM` }];
  }
  return [];
}

/** In one that was killed or stands still, nothing ends in order. */
const STANDS_STILL: readonly string[] = ['crash', 'stop', 'suspend'];

export const STOP_ORACLES = [ordersInDoubt, haltHeardLate, ordersAfterEnd, endsLate];
