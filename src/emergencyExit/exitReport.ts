/** Puts a verdict into words: the report that goes on the bus, and the alert that goes to people. */
import type { Alert } from '../alert/alert.js';
import type { ExitReport } from '../messages/completion.js';
import type { ExitProgress } from './executor.js';
import type { Verdict } from './verdict.js';

/** Which exit it is about, and who carried it out. */
export type ReportSubject = Pick<ExitReport, 'eventId' | 'incident' | 'account' | 'epoch' | 'fencingToken' | 'worker'>;

export interface ReportTimes {
  /** Monotonic clock. */
  readonly nowMs: number;
  /** Monotonic clock: when this worker took the incident up. */
  readonly startedMs: number;
  /** The wall clock at `nowMs`. */
  readonly wallMs: number;
}

export function exitReport(subject: ReportSubject, said: Verdict, progress: ExitProgress, times: ReportTimes): ExitReport {
  const executionTimeMs = times.nowMs - times.startedMs;
  return {
    ...subject,
    verdict: said.verdict,
    positionsTotal: progress.total,
    positionsClosed: progress.closed,
    positionsFailed: progress.total - progress.closed,
    failedSymbols: [...progress.openSymbols],
    // Reckoned back from one reading of the wall clock: two readings could differ by a step of it.
    startedWallMs: Math.max(0, times.wallMs - executionTimeMs),
    completedWallMs: times.wallMs,
    executionTimeMs,
    silentHolders: said.silentHolders,
    residue: said.residue,
  };
}

/** Anything but `flat` needs a person. */
export function exitAlert(report: ExitReport, wallMs: number): Alert {
  const { account, incident, verdict, positionsClosed, positionsTotal } = report;
  return {
    kind: `exit.${verdict}`,
    severity: verdict === 'flat' ? 'info' : 'critical',
    incident,
    account,
    summary: `${account}: ${verdict}, ${positionsClosed} of ${positionsTotal} positions closed`,
    details: { ...report },
    wallMs,
  };
}
