/** Folds what holders said of themselves into the horizon and the list of those who may still have orders on the way. */
import type { HolderReport } from '../messages/holder.js';
import type { DrainView } from './plan.js';

/** The latest word of each holder of one account. */
export class HolderRoll {
  readonly #latest = new Map<string, HolderReport>();
  readonly #account: string;

  constructor(account: string) {
    this.#account = account;
  }

  hear(report: HolderReport): void {
    if (report.account === this.#account) this.#latest.set(report.holderId, report);
  }

  reports(): readonly HolderReport[] {
    return [...this.#latest.values()];
  }
}

/** The committed halt of an incident, as this worker knows it. */
export interface CommittedHalt {
  /** On this worker's monotonic clock. */
  readonly atMs: number;
  /** Of the trading state that holds it. */
  readonly stateVersion: number;
}

/** Only a holder that attested this epoch could send orders in it. */
function mayHaveOrders(report: HolderReport, epoch: number): boolean {
  if (report.event === 'released') return !hasNothingOpen(report);
  return report.epoch === epoch && report.event !== 'registered';
}

function hasNothingOpen(report: HolderReport): boolean {
  return report.inflight === 0 && report.unknownOutcomes === 0;
}

/** A holder that drained before the halt (its lease had lapsed) may have come back since: it must have seen this halt. */
export function isDrained(report: HolderReport, halt: CommittedHalt | undefined): boolean {
  if (!hasNothingOpen(report)) return false;
  if (report.event === 'released') return true;
  return report.event === 'drained' && halt !== undefined && (report.stateVersion ?? -1) >= halt.stateVersion;
}

export interface DrainTimes {
  readonly leaseTtlMs: number;
  /** Assumed where no holder has registered. */
  readonly brokerTimeoutMs: number;
}

/**
 * The horizon is the moment after which no guarded order can begin or be settled by its client any more: the halt committed,
 * plus the longest lease, plus the longest broker timeout that any holder registered.
 */
export function drainView(
  reports: readonly HolderReport[],
  epoch: number,
  halt: CommittedHalt | undefined,
  { leaseTtlMs, brokerTimeoutMs }: DrainTimes,
): DrainView {
  const relevant = reports.filter((report) => mayHaveOrders(report, epoch));
  const longestLeaseMs = Math.max(leaseTtlMs, ...relevant.map((report) => report.leaseTtlMs));
  const longestBrokerMs = Math.max(...(relevant.length === 0 ? [brokerTimeoutMs] : relevant.map((report) => report.brokerTimeoutMs)));
  return {
    haltedMs: halt?.atMs,
    horizonMs: halt === undefined ? undefined : halt.atMs + longestLeaseMs + longestBrokerMs,
    silentHolders: relevant.filter((report) => !isDrained(report, halt)).map((report) => report.holderId),
  };
}
