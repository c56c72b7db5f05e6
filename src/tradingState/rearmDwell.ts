/** Decides whether everyone who must watch has shown progress while trading was REDUCING. */
import { BOOK_AGE_MAX_MS, type PeerBeat } from '../messages/peerBeat.js';
import type { Fleet } from './fleet.js';
import { type Holders, unclearRefusals } from './holders.js';
import type { RearmPlan } from './rearmPlan.js';
import type { Sighting } from './sightings.js';

export interface DwellFacts {
  readonly fleet: Fleet;
  readonly holders: Holders;
  /** Incidents that are open now and were not named. */
  readonly newIncidents: readonly string[];
  readonly nowMs: number;
  /** Who has not advanced for longer than this has stopped during the dwell. */
  readonly progressWithinMs: number;
}

const processOf = ({ host, bootId, pid }: PeerBeat): string => `${host}/${bootId}/${pid}`;

function progressing<T>(sightings: readonly Sighting<T>[], facts: DwellFacts): readonly Sighting<T>[] {
  return sightings.filter(({ lastAdvanceMs }) => lastAdvanceMs !== undefined && facts.nowMs - lastAdvanceMs <= facts.progressWithinMs);
}

function workerFailure(account: string, facts: DwellFacts, watchdogs: readonly PeerBeat[]): string | undefined {
  const workers = progressing(facts.fleet.workers, facts)
    .map(({ value }) => value)
    .filter((beat) => beat.worker?.account === account);
  if (workers.length === 0) return `no exit worker of ${account} shows progress`;
  const able = workers.filter(
    ({ worker }) => worker?.identityMatches === true && worker.bookAgeMs !== undefined && worker.bookAgeMs <= BOOK_AGE_MAX_MS,
  );
  if (able.length === 0) return `no exit worker of ${account} has the right account and a fresh book`;
  const apart = able.some((worker) => watchdogs.some((watchdog) => processOf(watchdog) !== processOf(worker)));
  if (!apart && watchdogs.length > 0) return `the watchdog and the exit worker of ${account} are one process`;
  return undefined;
}

/** Every reason why the new epoch must not become ACTIVE. Empty: it may. */
export function dwellFailures(plan: RearmPlan, facts: DwellFacts): readonly string[] {
  const failures: string[] = [];
  const brains = progressing(facts.fleet.brains, facts);
  for (const service of plan.services) {
    const beats = brains.filter(({ name }) => name === service);
    if (beats.length === 0) failures.push(`exit brain ${service} shows no progress`);
    else if (!beats.some(({ value }) => value.status === 'OK')) failures.push(`exit brain ${service} is not OK`);
  }
  const watchdogs = progressing(facts.fleet.watchdogs, facts).map(({ value }) => value);
  if (watchdogs.length === 0) failures.push('no watchdog shows progress');
  for (const account of plan.accounts) {
    const failure = workerFailure(account, facts, watchdogs);
    if (failure !== undefined) failures.push(failure);
  }
  for (const [holderId, { attestedEpoch, released }] of facts.holders.standings) {
    if (released || plan.ignoredHolders.includes(holderId)) continue;
    if (attestedEpoch === undefined || attestedEpoch < plan.toEpoch)
      failures.push(`holder ${holderId} has not attested epoch ${plan.toEpoch}`);
  }
  failures.push(...unclearRefusals(facts.holders.unclear, plan.ignoredHolders));
  for (const incident of facts.newIncidents) failures.push(`incident ${incident} was not named when this re-arm began`);
  return failures;
}
