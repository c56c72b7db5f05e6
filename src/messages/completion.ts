/** `system:panic_close:completed` and `:escalated`: how an incident stands, in the words of its worker. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const PANIC_COMPLETED = 'system:panic_close:completed';
export const PANIC_ESCALATED = 'system:panic_close:escalated';

/**
 * - `flat`: positions and orders read empty twice after the horizon, and every holder drained (or the venue's expiry passed);
 * - `flat_unconfirmed`: books empty, but a holder is silent: the watch goes on;
 * - `dust`: what is left is smaller than the venue's smallest order.
 */
export const COMPLETION_VERDICTS = ['flat', 'flat_unconfirmed', 'dust'] as const;
export type CompletionVerdict = (typeof COMPLETION_VERDICTS)[number];

/**
 * Not done, and a person should look: the worker goes on all the same. `no_worker` is the word of a watchdog: there is no
 * worker of the account that could say anything.
 */
export const ESCALATION_VERDICTS = ['market_closed', 'operator_needed', 'deadline_passed', 'wrong_account', 'no_worker'] as const;
export type EscalationVerdict = (typeof ESCALATION_VERDICTS)[number];

export type ExitVerdict = CompletionVerdict | EscalationVerdict;

export interface Residue {
  readonly symbol: string;
  readonly quantity: number;
  readonly why: string;
}

export interface ExitReport<V extends ExitVerdict = ExitVerdict> {
  readonly eventId: string;
  /** The panics that had joined the incident by then, the first among them. Default: that one alone. */
  readonly answers?: readonly string[];
  readonly incident: string;
  readonly account: string;
  readonly epoch: number;
  readonly verdict: V;
  readonly positionsTotal: number;
  readonly positionsClosed: number;
  readonly positionsFailed: number;
  readonly failedSymbols: readonly string[];
  readonly startedWallMs: number;
  readonly completedWallMs: number;
  /** From taking up the incident to this verdict, on the worker's monotonic clock. */
  readonly executionTimeMs: number;
  /** Rises each time the incident changes hands: a report with an older one is void. */
  readonly fencingToken: number;
  readonly worker: string;
  /** Holders that never said that they are drained. */
  readonly silentHolders: readonly string[];
  readonly residue: readonly Residue[];
}

export type Completion = ExitReport<CompletionVerdict>;
export type Escalation = ExitReport<EscalationVerdict>;

export function encodeExitReport(report: ExitReport): Fields {
  return encode({
    event_id: report.eventId,
    answers: report.answers,
    incident: report.incident,
    account: report.account,
    epoch: report.epoch,
    verdict: report.verdict,
    positions_total: report.positionsTotal,
    positions_closed: report.positionsClosed,
    positions_failed: report.positionsFailed,
    failed_symbols: report.failedSymbols,
    ts_started: Math.round(report.startedWallMs),
    ts_completed: Math.round(report.completedWallMs),
    execution_time_ms: Math.round(report.executionTimeMs),
    fencing_token: report.fencingToken,
    worker: report.worker,
    silent_holders: report.silentHolders,
    residue: report.residue,
  });
}

function isResidue(entry: unknown): entry is Residue {
  if (typeof entry !== 'object' || entry === null) return false;
  const { symbol, quantity, why } = entry as Partial<Record<keyof Residue, unknown>>;
  return typeof symbol === 'string' && typeof quantity === 'number' && typeof why === 'string';
}

function decodeReport<V extends ExitVerdict>(fields: Fields, verdicts: readonly V[]): Decoded<ExitReport<V>> {
  return decodeWith(fields, (reader) => {
    const residue = reader.json('residue');
    if (!Array.isArray(residue) || !residue.every(isResidue)) return reader.fail('residue: must be a list of symbol, quantity, why');
    return {
      eventId: reader.text('event_id'),
      answers: reader.optional('answers') === undefined ? [reader.text('event_id')] : reader.texts('answers'),
      incident: reader.text('incident'),
      account: reader.text('account'),
      epoch: reader.count('epoch'),
      verdict: reader.oneOf('verdict', verdicts),
      positionsTotal: reader.count('positions_total'),
      positionsClosed: reader.count('positions_closed'),
      positionsFailed: reader.count('positions_failed'),
      failedSymbols: reader.texts('failed_symbols'),
      startedWallMs: reader.count('ts_started'),
      completedWallMs: reader.count('ts_completed'),
      executionTimeMs: reader.count('execution_time_ms'),
      fencingToken: reader.count('fencing_token'),
      worker: reader.text('worker'),
      silentHolders: reader.texts('silent_holders'),
      residue,
    };
  });
}

/** The panics, each in the incident of its account, that need not be answered any more. */
export function answeredPanics({ eventId, answers = [eventId], incident }: Completion): readonly string[] {
  return answers.map((answer) => answerKey(incident, answer));
}

export function answerKey(incident: string, eventId: string): string {
  return `${incident}/${eventId}`;
}

export const decodeCompletion = (fields: Fields): Decoded<Completion> => decodeReport(fields, COMPLETION_VERDICTS);
export const decodeEscalation = (fields: Fields): Decoded<Escalation> => decodeReport(fields, ESCALATION_VERDICTS);
