/** `system:panic_close`: close the book now. */
import { derivedId } from '../random.js';
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const PANIC_CLOSE = 'system:panic_close';

export const PANIC_ISSUERS = ['risk_kernel', 'exit_brain', 'ops', 'watchdog', 'supervisor'] as const;
export type PanicIssuer = (typeof PANIC_ISSUERS)[number];

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
