/** The promises about what must happen, judged at the end: the faults have healed, and then the brain was killed for good. */
import { incidentId } from '../../messages/panicClose.js';
import { lastKillMs, type Schedule } from '../faults/schedule.js';
import { ACCOUNT } from '../world/ground.js';
import { timingsOf } from '../world/timings.js';
import type { RunView } from './view.js';
import type { Violation } from './violation.js';

/** L1, S6, S11: a dead brain with positions open ends in a panic. */
function panicCame({ witness }: RunView, endMs: number): Violation[] {
  return witness.panics.length > 0 ? [] : [{ promise: 'L1', atMs: endMs, detail: 'the brain is dead and nobody has panicked' }];
}

/** What a timer, a beat on its way and a look of the watchdog may add. */
const SLACK_MS = 500;
/** A brain whose loop hangs says DEGRADED after its stall, and is accused after that has lasted. */
function hangSeenMs({ setup }: Pick<Schedule, 'setup'>): number {
  const { brain, rules } = timingsOf(setup);
  return brain.decisionStallMs + rules.degradedMs + brain.intervalMs + 2_000;
}

/** L1: how soon. With a healthy bus, the last beat of a killed brain is no older than one interval. */
function panicCameInTime({ openAtKill, witness, schedule }: RunView): Violation[] {
  const killedMs = lastKillMs(schedule);
  const first = witness.panics[0];
  if (first === undefined || first.atMs < killedMs) return [];
  const { unguardedMs, missingMs } = timingsOf(schedule.setup).rules;
  const allowedMs = (openAtKill > 0 ? unguardedMs : missingMs) + SLACK_MS;
  const tookMs = first.atMs - killedMs;
  return tookMs <= allowedMs
    ? []
    : [{ promise: 'L1', atMs: first.atMs, detail: `the panic came ${Math.round(tookMs)} ms after the brain was killed` }];
}

/** S11: a decision loop that hangs while nothing else is wrong is seen. */
function hangIsSeen({ witness, strokes, schedule }: RunView): Violation[] {
  const seenMs = hangSeenMs(schedule);
  const hung = strokes.find(({ fault, what, atMs }) => {
    if (fault.kind !== 'hang' || what !== 'begins' || atMs + seenMs > schedule.healMs) return false;
    return strokes.every((other) => other.fault === fault || other.atMs < atMs - seenMs || other.atMs > atMs + seenMs);
  });
  if (hung === undefined || witness.panics.some(({ atMs }) => atMs < hung.atMs + seenMs)) return [];
  return [
    {
      promise: 'S11',
      atMs: hung.atMs + seenMs,
      detail: `the decision loop has hung since ${Math.round(hung.atMs)} ms and nobody has panicked`,
    },
  ];
}

/** L2, L6: the book ends empty. */
function bookIsEmpty({ world }: RunView, endMs: number): Violation[] {
  const positions = world.venue.positions(ACCOUNT);
  const orders = world.venue.openOrders(ACCOUNT);
  if (positions.size + orders === 0) return [];
  const left = [...positions].map(([symbol, quantity]) => `${quantity} ${symbol}`).join(', ');
  return [{ promise: 'L2', atMs: endMs, detail: `at the end the books hold ${left || 'no position'} and ${orders} orders` }];
}

/** S6: every panic has an end that was recorded. */
function panicsAreAnswered({ witness }: RunView, endMs: number): Violation[] {
  const open = witness.panics.find(
    ({ panic }) =>
      panic.epoch === 1 && !witness.completions.some(({ completion }) => completion.incident === incidentId(ACCOUNT, panic.epoch)),
  );
  return open === undefined ? [] : [{ promise: 'S6', atMs: endMs, detail: `the panic of ${Math.round(open.atMs)} ms was never completed` }];
}

/** S7: trading ends stopped. */
function tradingIsStopped({ witness }: RunView, endMs: number): Violation[] {
  const mode = witness.states.at(-1)?.state.mode ?? 'ACTIVE';
  return mode === 'HALTED' ? [] : [{ promise: 'S7', atMs: endMs, detail: `after a panic trading is ${mode}` }];
}

/** L7: people were told of the panic. */
function peopleWereTold({ world, witness }: RunView, endMs: number): Violation[] {
  const panicked = witness.panics.some(({ panic }) => panic.issuedBy === 'watchdog');
  const told = world.alerts.some(({ alert }) => alert.kind.startsWith('watchdog.panic') || alert.kind.startsWith('exit.'));
  return !panicked || told ? [] : [{ promise: 'L7', atMs: endMs, detail: 'nobody was told of the panic' }];
}

export const LIVENESS_ORACLES = [panicCame, panicCameInTime, hangIsSeen, bookIsEmpty, panicsAreAnswered, tradingIsStopped, peopleWereTold];
