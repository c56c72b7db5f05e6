/** Checks on the watchdog's side: the panic comes in time, once, and never without cause. */
import { verifyAudit } from '../../audit/verify.js';
import { ordersFrom, type Request } from '../../rig/books.js';
import { check, type Evidence, firstPanic, type Judge, ms, TOLERANCE_MS } from './evidence.js';
import { isExitWorker } from './exitChecks.js';

const ALERT_MS = 1_000;

export const panicInTime = check('L1', 'from the fault to the panic', (evidence) => {
  const { faultMs } = evidence.marks;
  if (faultMs === undefined) return { missing: 'no fault was injected' };
  const panic = firstPanic(evidence);
  if (panic === undefined) return { passed: false, evidence: `no panic within ${ms(evidence.marks.endMs - faultMs)}` };
  const boundMs = evidence.promised.detectionMs + TOLERANCE_MS;
  const toleranceMs = evidence.stallMs(faultMs, panic.atMs);
  return {
    passed: panic.atMs - faultMs <= boundMs + toleranceMs,
    evidence: `${ms(panic.atMs - faultMs)}, at most ${ms(boundMs)} (own stall ${ms(toleranceMs)}): ${panic.value.reason}`,
    figure: { ms: panic.atMs - faultMs, boundMs, stallMs: toleranceMs },
  };
});

/** Which rule has accused shows in the reason that the panic names. */
export const accusedAs = (reason: string): Judge =>
  check('L1.rule', 'the rule that is there for it accuses', (evidence) => {
    const panic = firstPanic(evidence);
    if (panic === undefined) return { missing: 'no panic was seen' };
    return { passed: panic.value.reason === reason, evidence: `${panic.value.reason}, expected ${reason}` };
  });

export const oneIncident = check('S9', 'one failure is one panic and one incident', (evidence) => {
  const events = new Set(evidence.bus.panics.map((panic) => panic.value.eventId));
  const incidents = new Set(evidence.bus.completions.map((seen) => seen.value.incident));
  const firstSends = evidence.bus.panics.filter((panic) => panic.value.resend === 0).length;
  if (events.size === 0) return { missing: 'no panic was seen' };
  return {
    passed: events.size === 1 && incidents.size <= 1,
    evidence: `${events.size} panics (${evidence.bus.panics.length - firstSends} re-sends), ${incidents.size} incidents`,
  };
});

export const quiet = check('S8', 'no panic while beats reach the bus', (evidence) => {
  const span = evidence.marks.quiet;
  if (span === undefined) return { missing: 'no quiet time was observed' };
  const within = (seen: { readonly atMs: number }) => seen.atMs >= span.fromMs && seen.atMs <= span.untilMs;
  const beats = evidence.bus.brainBeats.filter(within).length;
  const watched = evidence.bus.watchdogBeats.filter(within).length;
  if (beats < 3 || watched < 3) return { missing: `${beats} beats of the brain and ${watched} of the watchdog in the quiet time` };
  const panics = evidence.bus.panics.filter(within).length;
  return {
    passed: panics === 0,
    evidence: `${panics} panics in ${ms(span.untilMs - span.fromMs)} with ${beats} beats and ${watched} of the watchdog`,
  };
});

export const noPanicInOutage = check('S8.outage', 'no panic while everyone lives, whoever loses the bus', (evidence) => {
  const { outage, faultMs = Infinity } = evidence.marks;
  if (outage === undefined) return { missing: 'nobody lost the bus' };
  const panics = evidence.bus.panics.filter((panic) => panic.atMs >= outage.fromMs && panic.atMs < faultMs).length;
  return { passed: panics === 0, evidence: `${panics} panics in an outage of ${ms(outage.untilMs - outage.fromMs)} and behind it` };
});

export const alerted = check('L7', 'an alert goes out', (evidence) => {
  const panic = firstPanic(evidence);
  if (panic === undefined) return { missing: 'no panic was seen' };
  const first = evidence.alerts.find(
    (alert) => alert.atMs >= (evidence.marks.faultMs ?? panic.atMs) && alert.body['severity'] === 'critical',
  );
  if (first === undefined) return { passed: false, evidence: 'no alert was received' };
  const lateMs = first.atMs - panic.atMs;
  return {
    passed: lateMs <= ALERT_MS,
    evidence: `${ms(Math.abs(lateMs))} ${lateMs < 0 ? 'before' : 'after'} the panic was seen, at most ${ms(ALERT_MS)}`,
  };
});

/** Closes that arrived at the venue and that no audit entry names. */
export function closesNotOnRecord({ events, account, bus }: Pick<Evidence, 'events' | 'account' | 'bus'>): readonly Request[] {
  const ofCloses = bus.audit.filter(({ value }) => value.event === 'exit.close_attempt' || value.event === 'exit.close_inherited');
  const noted = new Set(ofCloses.map(({ value }) => value.details['clientOrderId']));
  return ordersFrom(events, account, isExitWorker).filter((order) => !noted.has(order.clientOrderId));
}

export const recordComplete = check('S12', 'the record is complete and its chain unbroken', (evidence) => {
  const entries = evidence.bus.audit.map((seen) => seen.value);
  if (entries.length === 0) return { missing: 'no audit entry was seen' };
  if (firstPanic(evidence) === undefined) return { missing: 'no panic was seen, so there is no exit to be on record' };
  const { problems } = verifyAudit(entries);
  // A halt whose answer was lost is on record as just that.
  const halted = entries.some((entry) => entry.event === 'state.halted' || entry.event === 'state.halt_unknown');
  const closes = ordersFrom(evidence.events, evidence.account, isExitWorker);
  const unnoted = closesNotOnRecord(evidence);
  return {
    passed: problems.length === 0 && halted && unnoted.length === 0,
    evidence: `${entries.length} entries, ${problems.length} breaks of the chain, halt on record: ${halted ? 'yes' : 'no'}, ${closes.length} closes of which ${unnoted.length} are not on record`,
  };
});

export const liesSeen = check('S11', 'a decision loop that stands still is seen although beats go on', (evidence) => {
  const { faultMs } = evidence.marks;
  if (faultMs === undefined) return { missing: 'no fault was injected' };
  const beats = evidence.bus.brainBeats.filter((beat) => beat.atMs > faultMs).length;
  if (beats < 3) return { missing: `only ${beats} beats after the loop stood still` };
  const panic = firstPanic(evidence);
  if (panic === undefined) return { passed: false, evidence: `${beats} beats and no panic within ${ms(evidence.marks.endMs - faultMs)}` };
  const boundMs = evidence.promised.detectionMs + TOLERANCE_MS;
  const toleranceMs = evidence.stallMs(faultMs, panic.atMs);
  return {
    passed: panic.atMs - faultMs <= boundMs + toleranceMs,
    evidence: `${beats} beats, panic after ${ms(panic.atMs - faultMs)}, at most ${ms(boundMs)}: ${panic.value.reason}`,
  };
});
