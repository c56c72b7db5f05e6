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

/** Only a holder that attested this epoch could send orders in it; it is silent until it says drained, with nothing unknown. */
function mayHaveOrders(report: HolderReport, epoch: number): boolean {
  return report.epoch === epoch && report.event !== 'registered' && report.event !== 'released';
}

export function isDrained(report: HolderReport): boolean {
  return (report.event === 'drained' || report.event === 'released') && report.inflight === 0 && report.unknownOutcomes === 0;
}

/**
 * The horizon is the moment after which no guarded order can begin or be settled by its client any more: the halt committed,
 * plus the longest lease, plus the longest broker timeout that any holder registered.
 */
export function drainView(
  reports: readonly HolderReport[],
  epoch: number,
  haltedMs: number | undefined,
  leaseTtlMs: number,
  brokerTimeoutMs: number,
): DrainView {
  const relevant = reports.filter((report) => mayHaveOrders(report, epoch));
  const longestLeaseMs = Math.max(leaseTtlMs, ...relevant.map((report) => report.leaseTtlMs));
  const longestBrokerMs = Math.max(...(relevant.length === 0 ? [brokerTimeoutMs] : relevant.map((report) => report.brokerTimeoutMs)));
  return {
    haltedMs,
    horizonMs: haltedMs === undefined ? undefined : haltedMs + longestLeaseMs + longestBrokerMs,
    silentHolders: relevant.filter((report) => !isDrained(report)).map((report) => report.holderId),
  };
}
