/** Checks on the strategy's side: nothing is sent after the halt, and nothing is forgotten. */
import { ordersFrom } from '../../rig/books.js';
import { check, type Evidence, type Finding, haltSeenMs, type Judge, ms, TOLERANCE_MS } from './evidence.js';

const isStrategy = (source: string) => source === 'strategy';

/** The bound of the halt's way through the bus into every process. */
const HALT_VISIBLE_MS = 50;
const ATTEMPTS_NEEDED = 20;
const ORDERS_PER_S_NEEDED = 20;

export function attemptsAfterHalt(evidence: Evidence): number {
  const haltMs = haltSeenMs(evidence);
  return haltMs === undefined ? 0 : evidence.attempts.filter((attempt) => attempt.value.atMs > haltMs).length;
}

/** Orders that the venue received although they were begun after the halt could be known to their sender. */
export function ordersAfterHalt(evidence: Evidence): number {
  const haltMs = haltSeenMs(evidence);
  if (haltMs === undefined) return 0;
  const boundMs = haltMs + HALT_VISIBLE_MS + evidence.stallMs(haltMs - HALT_VISIBLE_MS, haltMs + HALT_VISIBLE_MS * 4);
  const firstRefusal = evidence.attempts.find((attempt) => attempt.value.atMs >= haltMs && attempt.value.result === 'refused');
  return ordersFrom(evidence.events, evidence.account, isStrategy).filter((order) => {
    const begunMs = order.sentMs ?? order.atMs;
    // Once this process has refused for the halt it has observed it: from there on not a single order may begin.
    return begunMs > boundMs || (firstRefusal !== undefined && begunMs > Math.max(firstRefusal.value.atMs, haltMs));
  }).length;
}

export const load = check(
  'load',
  `the strategy sent at least ${ORDERS_PER_S_NEEDED} guarded orders a second until the fault`,
  (evidence) => {
    const { faultMs, watchdogKilledMs, panicGivenMs, quiet, armedMs, outage } = evidence.marks;
    const cutMs = Math.min(watchdogKilledMs ?? Infinity, outage?.fromMs ?? Infinity);
    const untilMs = Math.min(cutMs, panicGivenMs ?? Infinity, quiet?.fromMs ?? Infinity, faultMs ?? Infinity);
    const orders = ordersFrom(evidence.events, evidence.account, isStrategy).filter(
      (order) => order.atMs < untilMs && order.atMs >= armedMs,
    );
    const first = orders[0];
    if (first === undefined || untilMs === Infinity) return { missing: 'no order arrived at the venue before the fault' };
    const perS = orders.length / ((untilMs - first.atMs) / 1_000);
    return { passed: perS >= ORDERS_PER_S_NEEDED, evidence: `${orders.length} orders at the venue, ${perS.toFixed(1)} a second` };
  },
);

export const noOrderAfterHalt = check('S1', 'no order begins after the halt', (evidence) => {
  const attempts = attemptsAfterHalt(evidence);
  if (haltSeenMs(evidence) === undefined) return { missing: 'no halt of an exit was seen on the bus' };
  if (attempts < ATTEMPTS_NEEDED) return { missing: `only ${attempts} attempts after the halt, ${ATTEMPTS_NEEDED} are needed` };
  const late = ordersAfterHalt(evidence);
  return { passed: late === 0, evidence: `${attempts} attempts after the halt, ${late} of them reached the venue` };
});

/** What was under way in the last moments may stand on one side only. */
const UNDER_WAY_MS = 500;

export const nothingForgotten = check('S2', 'every order that was admitted is at the venue, and no other', (evidence) => {
  const untilMs = evidence.marks.endMs - UNDER_WAY_MS;
  const admitted = evidence.attempts.filter(({ value }) => value.result === 'admitted');
  if (admitted.length === 0) return { missing: 'no order was admitted' };
  const arrived = ordersFrom(evidence.events, evidence.account, isStrategy);
  const admittedIds = new Set(admitted.map(({ value }) => value.clientOrderId));
  const arrivedIds = new Set(arrived.map((order) => order.clientOrderId));
  const unsent = admitted.filter(({ value }) => value.atMs < untilMs && !arrivedIds.has(value.clientOrderId)).length;
  const unknown = arrived.filter((order) => order.atMs < untilMs && !admittedIds.has(order.clientOrderId ?? '')).length;
  return {
    passed: unsent === 0 && unknown === 0,
    evidence: `${admittedIds.size} admitted, ${arrivedIds.size} arrived; admitted only: ${unsent}, arrived only: ${unknown}`,
  };
});

/**
 * The strategy refuses on its own from `boundMs` after `sinceMs` on, as long as the lease cannot have returned. The figure is when the
 * last order began: the first refusal comes up to one attempt later than the lapse, and would tell how often was tried.
 */
function lapses(evidence: Evidence, sinceMs: number, boundMs: number, untilMs: number): Finding {
  const after = evidence.attempts.filter(({ value }) => value.atMs > sinceMs && value.atMs < untilMs);
  const first = after.find(({ value }) => value.result === 'refused');
  if (after.length < ATTEMPTS_NEEDED) return { missing: `only ${after.length} attempts without a lease` };
  const toleranceMs = TOLERANCE_MS + evidence.stallMs(sinceMs, sinceMs + boundMs + TOLERANCE_MS);
  const begun = ordersFrom(evidence.events, evidence.account, isStrategy)
    .map((order) => (order.sentMs ?? order.atMs) - sinceMs)
    .filter((tookMs) => tookMs < untilMs - sinceMs);
  const late = begun.filter((tookMs) => tookMs > boundMs + toleranceMs);
  const lapsed = first === undefined ? 'never' : ms(first.value.atMs - sinceMs);
  const lastMs = Math.max(0, ...begun);
  return {
    passed: late.length === 0 && first !== undefined,
    evidence: `last order begun after ${ms(lastMs)}, first refusal after ${lapsed}, ${late.length} orders later than ${ms(boundMs)} + ${ms(toleranceMs)} tolerance`,
    ...(first === undefined ? {} : { figure: { ms: lastMs, boundMs, stallMs: toleranceMs - TOLERANCE_MS } }),
  };
}

export const leaseLapses = check('L4', 'without a watchdog the strategy refuses on its own', (evidence) => {
  const { watchdogKilledMs, faultMs } = evidence.marks;
  if (watchdogKilledMs === undefined) return { missing: 'no watchdog was killed' };
  const { leaseTtlMs, peerLivenessMs } = evidence.promised;
  const untilMs = Math.min(faultMs ?? evidence.marks.endMs, secondWatchdogMs(evidence));
  return lapses(evidence, watchdogKilledMs, leaseTtlMs + peerLivenessMs, untilMs);
});

/** Who is cut off itself learns it from its own lease; who has lost a peer must wait for that peer's silence first. */
export const outageLapses = (isStrategyCutOff: boolean): Judge =>
  check('L4.outage', 'without the bus the strategy refuses on its own', (evidence) => {
    const { outage } = evidence.marks;
    if (outage === undefined) return { missing: 'nobody lost the bus' };
    const { leaseTtlMs, peerLivenessMs } = evidence.promised;
    return lapses(evidence, outage.fromMs, leaseTtlMs + (isStrategyCutOff ? 0 : peerLivenessMs), outage.untilMs);
  });

export const leaseReturns = check('S7.return', 'a lease that lapsed returns by itself once the outage is over', (evidence) => {
  const { outage, faultMs = Infinity } = evidence.marks;
  if (outage === undefined) return { missing: 'nobody lost the bus' };
  const admitted = evidence.attempts.filter(({ value }) => value.result === 'admitted');
  const back = admitted.filter(({ value }) => value.atMs > outage.untilMs && value.atMs < faultMs);
  return {
    passed: back.length > 0,
    evidence: `${back.length} orders admitted between the end of the outage and the death of the brain`,
  };
});

/** From when on the lease may have returned by itself. */
function secondWatchdogMs(evidence: Evidence): number {
  const killedMs = evidence.marks.watchdogKilledMs ?? Infinity;
  const before = new Set(evidence.bus.watchdogBeats.filter((beat) => beat.atMs < killedMs).map((beat) => beat.value.generation));
  return evidence.bus.watchdogBeats.find((beat) => beat.atMs > killedMs && !before.has(beat.value.generation))?.atMs ?? Infinity;
}
