/** `system:panic_close`: close the book now. */
import { derivedId } from '../random.js';
import { type Decoded, decodeOriginal, decodeWith, encode, type FieldReader, type Fields, isOriginal } from './fields.js';

export const PANIC_CLOSE = 'system:panic_close';

export const PANIC_ISSUERS = ['risk_kernel', 'exit_brain', 'ops', 'watchdog', 'supervisor'] as const;
export type PanicIssuer = (typeof PANIC_ISSUERS)[number];
/** Who may ask in the original format. */
const ORIGINAL_ISSUERS = ['risk_kernel', 'exit_brain', 'ops', 'watchdog'] as const;

export interface PanicClose {
  /** The same for every send of one panic. */
  readonly eventId: string;
  readonly reason: string;
  readonly issuedBy: PanicIssuer;
  /** Who exactly: a watchdog's id, an operator's name. */
  readonly by: string;
  readonly wallMs: number;
  /** The arm epoch that it is about. A panic of an earlier epoch is audited, never executed on today's book. */
  readonly epoch: number;
  /** The account to close; absent: every account registered when trading was armed. */
  readonly scope?: string;
  /** 0 for the first send, then 1, 2, …: each send is a record of its own. */
  readonly resend: number;
}

/** A panic as it stands on the bus. One in the original format names no epoch: when it was written tells which it belongs to. */
export interface WrittenPanic extends Omit<PanicClose, 'epoch'> {
  readonly epoch: number | undefined;
  /** When the bus took it. */
  readonly appendedWallMs: number;
}

/** One incident for an account and an arm epoch, whoever reports it and however often: later failures join it. */
export function incidentId(account: string, epoch: number): string {
  return `${account}@${epoch}`;
}

/** The account of an incident. */
export function accountOf(incident: string): string {
  return incident.slice(0, Math.max(0, incident.lastIndexOf('@')));
}

/** Watchdogs that see the same failure agree on its panic without talking to each other. */
export function watchdogPanicId(scope: string | undefined, epoch: number): string {
  return derivedId(`panic_close/${scope ?? '*'}/${epoch}`);
}

/** The append key of the first send of a panic: whoever comes second learns that it is a duplicate. */
export function firstSendKey(eventId: string): string {
  return `panic_close/${eventId}`;
}

/** The group through which the workers of an account share its panics. */
export function panicGroup(account: string): string {
  return account === DEFAULT_ACCOUNT ? 'emergency_exit_worker' : `emergency_exit_worker:${account}`;
}

export const DEFAULT_ACCOUNT = 'default';

export function encodePanicClose(panic: PanicClose): Fields {
  return encode({
    event_id: panic.eventId,
    reason: panic.reason,
    severity: 'CRITICAL',
    issued_by: panic.issuedBy,
    by: panic.by,
    ts: Math.round(panic.wallMs),
    epoch: panic.epoch,
    scope: panic.scope,
    resend: panic.resend,
  });
}

export function decodePanicClose(fields: Fields): Decoded<PanicClose> {
  return decodeWith(fields, (reader) => {
    const scope = reader.optional('scope');
    return {
      eventId: reader.text('event_id'),
      reason: reader.text('reason'),
      issuedBy: reader.oneOf('issued_by', PANIC_ISSUERS),
      by: reader.text('by'),
      wallMs: reader.count('ts'),
      epoch: reader.count('epoch'),
      ...(scope === undefined ? {} : { scope }),
      resend: reader.count('resend'),
    };
  });
}

/** Reads a panic in either format; `appendedWallMs` is when the bus took the record. */
export function decodeWrittenPanic(fields: Fields, appendedWallMs: number): Decoded<WrittenPanic> {
  if (isOriginal(fields)) return decodeOriginal(fields, (reader) => originalPanic(reader, appendedWallMs));
  const decoded = decodePanicClose(fields);
  return decoded.ok ? { ok: true, value: { ...decoded.value, appendedWallMs } } : decoded;
}

/** Only who asks can refuse it: a book is not kept open for want of an id, a reason or a stamp that makes sense. */
function originalPanic(reader: FieldReader, appendedWallMs: number): WrittenPanic {
  const issuedBy = reader.oneOf('issued_by', ORIGINAL_ISSUERS);
  const reason = reader.optional('reason') ?? 'not said';
  return {
    eventId: reader.optional('event_id') ?? derivedId(`original panic_close/${appendedWallMs}/${issuedBy}/${reason}`),
    reason,
    issuedBy,
    by: issuedBy,
    wallMs: reader.sensible(() => reader.moment('ts')) ?? appendedWallMs,
    epoch: undefined,
    resend: 0,
    appendedWallMs,
  };
}

/** What a trading state tells of the epochs of panics that name none. */
export interface EpochBoundary {
  readonly epoch: number;
  /** When the newest panic was written that was known when this epoch was armed; undefined: none was. */
  readonly panicsUntilMs?: number;
}

/** Gives a panic without an epoch the one that it belongs to: that of now, or an earlier one if it was known when that was armed. */
export function withEpoch(panic: WrittenPanic, { epoch, panicsUntilMs }: EpochBoundary): PanicClose {
  const { appendedWallMs, epoch: own, ...rest } = panic;
  const isEarlier = panicsUntilMs !== undefined && appendedWallMs <= panicsUntilMs;
  return { ...rest, epoch: own ?? (isEarlier ? Math.max(0, epoch - 1) : epoch) };
}
