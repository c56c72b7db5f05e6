/** A stored record as a reader of the port sees it. */
import type { BusRecord } from '../../bus/bus.js';
import { idOf, type StoredRecord, wallMsOf } from './serverData.js';

/** Undefined: nobody can understand it. */
export function recordOf(stream: string, { at, key, fields }: StoredRecord, receivedMs: number): BusRecord | undefined {
  return fields === undefined ? undefined : { id: idOf(at), stream, key, fields, appendedWallMs: wallMsOf(at), receivedMs };
}
