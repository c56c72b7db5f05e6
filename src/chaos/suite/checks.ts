/** The checks that a scenario of a suite may ask for, by the id under which the drill and the chaos run know them. */
import { check, type Judge } from '../../drill/judge/evidence.js';
import * as exit from '../../drill/judge/exitChecks.js';
import * as stop from '../../drill/judge/stopChecks.js';
import * as watch from '../../drill/judge/watchChecks.js';
import { noCloseUnasked, noHalt, noPanic, stateNeverGoesBack } from '../run/safeguards.js';

/** Two who see the same death may both panic: it must still be one incident. */
const oneIncident = check('S9.incident', 'whoever panics, it is one incident', ({ bus }) => {
  const incidents = new Set(bus.completions.map(({ value }) => value.incident));
  if (incidents.size === 0) return { missing: 'no completion was seen' };
  return { passed: incidents.size === 1, evidence: `${bus.panics.length} panics sent, ${incidents.size} incidents` };
});

const CHECKS = {
  L1: watch.panicInTime,
  'L4.outage': stop.outageLapses(true),
  L7: watch.alerted,
  S1: stop.noOrderAfterHalt,
  'S1.halt-first': exit.haltFirst,
  S2: stop.nothingForgotten,
  S4: exit.neverWorse,
  'S4.unasked': noCloseUnasked,
  S5: exit.bookFlat,
  S6: exit.panicCarriedOut,
  S7: exit.haltLatched,
  'S7.epoch': stateNeverGoesBack,
  'S7.none': noHalt,
  'S7.return': stop.leaseReturns,
  S8: noPanic,
  'S8.outage': watch.noPanicInOutage,
  'S8.quiet': watch.quiet,
  S9: watch.oneIncident,
  'S9.incident': oneIncident,
} as const satisfies Readonly<Record<string, Judge>>;

export type SuiteCheckId = keyof typeof CHECKS;

const isCheckId = (id: string): id is SuiteCheckId => Object.hasOwn(CHECKS, id);

export const SUITE_CHECK_IDS: readonly SuiteCheckId[] = Object.keys(CHECKS).filter(isCheckId);

/** What says that something did not happen, in the report. */
const FORBIDDING: readonly SuiteCheckId[] = [
  'S2',
  'S4',
  'S4.unasked',
  'S7.epoch',
  'S7.none',
  'S8',
  'S8.outage',
  'S8.quiet',
  'S9',
  'S9.incident',
];

export function judgesOf(ids: readonly SuiteCheckId[]): { readonly mustFire: readonly Judge[]; readonly mustNotFire: readonly Judge[] } {
  const judges = (chosen: readonly SuiteCheckId[]) => chosen.map((id) => CHECKS[id]);
  return {
    mustFire: judges(ids.filter((id) => !FORBIDDING.includes(id))),
    mustNotFire: judges(ids.filter((id) => FORBIDDING.includes(id))),
  };
}
