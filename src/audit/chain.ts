/** What the hash of an audit entry stands on: the entry before it, and its own content in one canonical form. */
import type { AuditEntry } from '../messages/audit.js';
import { nodeCrypto } from '../onDemand.js';

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, entry]) => [name, sorted(entry)]),
  );
}

/** The same text for the same content, whatever order its properties were written in. */
export function canonicalContent(entry: Omit<AuditEntry, 'hash'>): string {
  return JSON.stringify([
    entry.event,
    entry.actor,
    entry.cause,
    entry.incident ?? null,
    sorted(entry.details),
    entry.wallMs,
    entry.monotonicMs,
    entry.bootId,
    entry.sequence,
  ]);
}

export function auditHash(entry: Omit<AuditEntry, 'hash'>): string {
  return nodeCrypto().createHash('sha256').update(entry.previousHash).update('\n').update(canonicalContent(entry)).digest('hex');
}

/** What the first entry of an actor's life names as its predecessor: unique to that life, so that two lives never link. */
export function lifeRoot(actor: string, lifeId: string): string {
  return nodeCrypto().createHash('sha256').update(`life of ${actor}\n${lifeId}`).digest('hex');
}
