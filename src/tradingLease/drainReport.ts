/** Decides when a stopped holder has news about its orders: nothing under way any more, or fewer of unknown outcome. */
import type { UnderWay } from './holder.js';

export interface DrainSituation {
  /** What stopped it: changes with each change of the state, so that each halt gets a report of its own. */
  readonly stop: string;
  readonly counted: UnderWay | undefined;
}

export interface DrainReported {
  readonly stop: string;
  readonly unknownOutcomes: number;
}

/** True when `drained` is to be said now. Never while it is not known what is under way. */
export function drainReportDue({ stop, counted }: DrainSituation, reported: DrainReported | undefined): boolean {
  if (counted === undefined || counted.inflight > 0) return false;
  return reported === undefined || reported.stop !== stop || reported.unknownOutcomes !== counted.unknownOutcomes;
}
