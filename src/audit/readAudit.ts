/** Reads the whole audit record, for people and for judges. */
import { type Bus, type Cursor, FROM_START } from '../bus/bus.js';
import { AUDIT, type AuditEntry, decodeAuditEntry } from '../messages/audit.js';

export interface AuditRecord {
  readonly entries: readonly AuditEntry[];
  /** Records that could not be understood: corrupt on the bus, or not entries. */
  readonly unreadable: readonly { readonly id: string; readonly problem: string }[];
}

/** Throws {@link BusUnavailableError} without contact. */
export async function readAudit(bus: Pick<Bus, 'read'>): Promise<AuditRecord> {
  const entries: AuditEntry[] = [];
  const unreadable: { id: string; problem: string }[] = [];
  let cursor: Cursor = FROM_START;
  for (let more = true; more; ) {
    const result = await bus.read(AUDIT, cursor);
    unreadable.push(...result.corrupt);
    for (const record of result.records) {
      const decoded = decodeAuditEntry(record.fields);
      if (decoded.ok) entries.push(decoded.value);
      else unreadable.push({ id: record.id, problem: decoded.problem });
    }
    cursor = result.cursor;
    more = result.more;
  }
  return { entries, unreadable };
}
