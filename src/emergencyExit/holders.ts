/** Folds what holders said of themselves into the horizon and the list of those who may still have orders on the way. */
import type { Fields } from '../messages/fields.js';
import type { HolderReport } from '../messages/holder.js';
import type { DrainView } from './plan.js';

/** A report that nobody here can understand: who said it, and at which epoch, as far as that can be told. */
export interface UnclearReport {
  readonly holderId: string;
  readonly epoch: number | undefined;
}

/** The latest word of each holder of one account. */
export class HolderRoll {
  /** By process: one that took over the name of another does not speak for the orders of the other. */
  readonly #latest = new Map<string, HolderReport>();
  readonly #unclear = new Map<string, UnclearReport>();
  readonly #account: string;

  constructor(account: string) {
    this.#account = account;
  }

  hear(report: HolderReport): void {
    if (report.account !== this.#account) return;
    const { holderId, host, bootId, pid } = report;
    this.#unclear.delete(holderId);
    this.#latest.set(JSON.stringify([holderId, host, bootId, pid]), report);
  }

  /** Somebody may send orders who speaks another version: as long as nothing clearer is heard of it, it has not drained. */
  hearUnclear(fields: Fields, id: string): void {
    const { account, holder_id: holderId = id, epoch } = fields;
    if (account !== undefined && account !== this.#account) return;
    this.#unclear.set(holderId, { holderId, epoch: epoch !== undefined && /^\d{1,15}$/.test(epoch) ? Number(epoch) : undefined });
  }

  reports(): readonly HolderReport[] {
    return [...this.#latest.values()];
  }

  unclear(): readonly UnclearReport[] {
    return [...this.#unclear.values()];
  }
}

/** The committed halt of an incident, as this worker knows it. */
export interface CommittedHalt {
  /** On this worker's monotonic clock. */
  readonly atMs: number;
  /** Of the trading state that holds it. */
  readonly stateVersion: number;
  readonly epoch: number;
}

/**
 * Only a holder that attested this epoch could send orders in it. One that has gone on to a later epoch has forgotten nothing
 * of what it sent before; and where the bus fell back, its epoch is the one that holders act under.
 */
function mayHaveOrders(report: HolderReport, epoch: number): boolean {
  if (report.event === 'released') return !hasNothingOpen(report);
  return report.epoch >= epoch && report.event !== 'registered';
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
  roll: Pick<HolderRoll, 'reports' | 'unclear'>,
  epoch: number,
  halt: CommittedHalt | undefined,
  { leaseTtlMs, brokerTimeoutMs }: DrainTimes,
): DrainView {
  const fromEpoch = Math.min(epoch, halt?.epoch ?? epoch);
  const relevant = roll.reports().filter((report) => mayHaveOrders(report, fromEpoch));
  const unclear = roll.unclear().filter((report) => report.epoch === undefined || report.epoch >= fromEpoch);
  const silent = [...relevant.filter((report) => !isDrained(report, halt)), ...unclear];
  const longestLeaseMs = Math.max(leaseTtlMs, ...relevant.map((report) => report.leaseTtlMs));
  const longestBrokerMs = Math.max(...(relevant.length === 0 ? [brokerTimeoutMs] : relevant.map((report) => report.brokerTimeoutMs)));
  return {
    haltedMs: halt?.atMs,
    horizonMs: halt === undefined ? undefined : halt.atMs + longestLeaseMs + longestBrokerMs,
    silentHolders: [...new Set(silent.map(({ holderId }) => holderId))],
  };
}
