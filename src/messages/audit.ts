/** `system:audit`: every transition, with cause, actor and incident. */
import { type Decoded, decodeWith, encode, type Fields } from './fields.js';

export const AUDIT = 'system:audit';

export interface AuditEntry {
  /** What happened, as `area.event`: `state.halted`, `lease.suspended`, `exit.close_attempt`, … */
  readonly event: string;
  readonly actor: string;
  readonly cause: string;
  readonly incident?: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly wallMs: number;
  /** The actor's monotonic clock and boot id: comparable between processes of one boot. */
  readonly monotonicMs: number;
  readonly bootId: string;
  /** 0, 1, 2, … for each actor's life; with `previousHash` this makes a missing or changed entry visible. */
  readonly sequence: number;
  readonly previousHash: string;
  readonly hash: string;
}

export function encodeAuditEntry(entry: AuditEntry): Fields {
  return encode({
    event: entry.event,
    actor: entry.actor,
    cause: entry.cause,
    incident: entry.incident,
    details: entry.details,
    ts: Math.round(entry.wallMs),
    monotonic_ms: entry.monotonicMs,
    boot_id: entry.bootId,
    sequence: entry.sequence,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  });
}

export function decodeAuditEntry(fields: Fields): Decoded<AuditEntry> {
  return decodeWith(fields, (reader) => {
    const incident = reader.optional('incident');
    const details = reader.json('details');
    if (typeof details !== 'object' || details === null) return reader.fail('details: must be a JSON object');
    return {
      event: reader.text('event'),
      actor: reader.text('actor'),
      cause: reader.text('cause'),
      ...(incident === undefined ? {} : { incident }),
      details: { ...details },
      wallMs: reader.count('ts'),
      monotonicMs: reader.amount('monotonic_ms'),
      bootId: reader.text('boot_id'),
      sequence: reader.count('sequence'),
      previousHash: reader.text('previous_hash'),
      hash: reader.text('hash'),
    };
  });
}
