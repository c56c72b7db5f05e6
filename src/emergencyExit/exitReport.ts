/** Puts a verdict into words: the report that goes on the bus, and the alert that goes to people. */
import type { Alert } from '../alert/alert.js';
import type { ExitReport, Residue } from '../messages/completion.js';
import type { ExitProgress } from './exitRun.js';
import type { Verdict } from './verdict.js';

/** Which exit it is about, and who carried it out. */
export type ReportSubject = Pick<ExitReport, 'eventId' | 'answers' | 'incident' | 'account' | 'epoch' | 'fencingToken' | 'worker'>;

export interface ReportTimes {
  /** Monotonic clock. */
  readonly nowMs: number;
  /** Monotonic clock: when this worker took the incident up. */
  readonly startedMs: number;
  /** The wall clock at `nowMs`. */
  readonly wallMs: number;
}

/** Each list of a report, as it stands in a record: the whole must fit into one, however large the book is. */
const LIST_MAX_BYTES = 4_096;
/** A venue's own words may be long. */
const WHY_MAX_CHARACTERS = 300;

/** The first entries that find room. */
function fitting<T>(entries: readonly T[]): readonly T[] {
  const kept: T[] = [];
  let bytes = 0;
  for (const entry of entries) {
    // A text of JSON within JSON.
    bytes += Buffer.byteLength(JSON.stringify(JSON.stringify(entry)));
    if (bytes > LIST_MAX_BYTES) break;
    kept.push(entry);
  }
  return kept;
}

/** The first entries that find room, and one in place of the others. */
function shortened<T>(entries: readonly T[], others: (count: number) => T): readonly T[] {
  const kept = fitting(entries);
  return kept.length === entries.length ? kept : [...kept, others(entries.length - kept.length)];
}

const othersInWords = (count: number): string => `(and ${count} more)`;

function shortenedResidue(residue: readonly Residue[]): readonly Residue[] {
  const cut = residue.map((entry) => ({ ...entry, why: entry.why.slice(0, WHY_MAX_CHARACTERS) }));
  return shortened(cut, (count) => ({ symbol: '*', quantity: 0, why: othersInWords(count) }));
}

/** Its own panic first, which the report names in any case. */
function answersOf({ eventId, answers = [] }: ReportSubject): readonly string[] {
  return [eventId, ...fitting(answers.filter((answer) => answer !== eventId))];
}

export function exitReport(subject: ReportSubject, said: Verdict, progress: ExitProgress, times: ReportTimes): ExitReport {
  const executionTimeMs = times.nowMs - times.startedMs;
  return {
    ...subject,
    // Those that find no room stay unanswered, and are carried out anew.
    answers: answersOf(subject),
    verdict: said.verdict,
    positionsTotal: progress.total,
    positionsClosed: progress.closed,
    positionsFailed: progress.total - progress.closed,
    failedSymbols: shortened(progress.openSymbols, othersInWords),
    // Reckoned back from one reading of the wall clock: two readings could differ by a step of it.
    startedWallMs: Math.max(0, times.wallMs - executionTimeMs),
    completedWallMs: times.wallMs,
    executionTimeMs,
    silentHolders: shortened(said.silentHolders, othersInWords),
    residue: shortenedResidue(said.residue),
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
