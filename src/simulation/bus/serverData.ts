/** What one simulated Redis server holds, and each thing that may be done to it in one step, as the scripts of the real adapter do it. */
import type { Fields } from '../../bus/bus.js';
import { HEARTBEAT_RETENTION_MS, isHeartbeatStream } from '../../bus/policy.js';

export interface StoredRecord {
  /** Milliseconds of the server's wall clock times {@link IDS_PER_MS}, plus a number: as a stream id, it never falls. */
  readonly at: number;
  readonly key: string | undefined;
  /** Undefined: nobody can understand it. */
  readonly fields: Fields | undefined;
}

interface Claim {
  readonly consumer: string;
  readonly attempt: number;
  renewals: number;
  released: boolean;
}

interface Group {
  delivered: number;
  readonly claims: Map<number, Claim>;
}

export interface StoredStream {
  records: StoredRecord[];
  last: number;
  readonly latest: Map<string, StoredRecord>;
  readonly keys: Set<string>;
  readonly groups: Map<string, Group>;
}

interface StoredLatch {
  version: number;
  /** Undefined: nobody can understand it. */
  fields: Fields | undefined;
}

export interface ServerData {
  readonly streams: Map<string, StoredStream>;
  readonly latches: Map<string, StoredLatch>;
}

const IDS_PER_MS = 1_000;

export function emptyData(): ServerData {
  return { streams: new Map(), latches: new Map() };
}

export function idOf(at: number): string {
  return `${wallMsOf(at)}-${at % IDS_PER_MS}`;
}

/** When the server took it, on its own clock. */
export function wallMsOf(at: number): number {
  return Math.floor(at / IDS_PER_MS);
}

export function positionAt(wallMs: number): number {
  return Math.max(0, wallMs) * IDS_PER_MS;
}

export function streamOf(data: ServerData, name: string): StoredStream {
  let stream = data.streams.get(name);
  if (stream === undefined) {
    stream = { records: [], last: 0, latest: new Map(), keys: new Set(), groups: new Map() };
    data.streams.set(name, stream);
  }
  return stream;
}

export function latchOf(data: ServerData, key: string): StoredLatch {
  let latch = data.latches.get(key);
  if (latch === undefined) {
    latch = { version: 0, fields: {} };
    data.latches.set(key, latch);
  }
  return latch;
}

/** A change of what a server holds. Replaying the changes of one server on another gives the same data. */
export type Change =
  | { readonly do: 'append'; readonly stream: string; readonly record: StoredRecord; readonly idempotencyKey: string | undefined }
  | { readonly do: 'set'; readonly key: string; readonly version: number; readonly fields: Fields | undefined }
  | {
      readonly do: 'claim';
      readonly stream: string;
      readonly group: string;
      readonly at: number;
      readonly consumer: string;
      readonly attempt: number;
    }
  | { readonly do: 'renew' | 'release' | 'ack'; readonly stream: string; readonly group: string; readonly at: number };

export function apply(data: ServerData, change: Change): void {
  if (change.do === 'set') {
    const latch = latchOf(data, change.key);
    latch.version = change.version;
    latch.fields = change.fields;
    return;
  }
  const stream = streamOf(data, change.stream);
  if (change.do === 'append') add(change.stream, stream, change.record, change.idempotencyKey);
  else changeClaim(groupOf(stream, change.group), change);
}

function add(name: string, stream: StoredStream, record: StoredRecord, idempotencyKey: string | undefined): void {
  stream.records.push(record);
  stream.last = record.at;
  if (record.key !== undefined) stream.latest.set(record.key, record);
  if (idempotencyKey !== undefined) stream.keys.add(idempotencyKey);
  if (!isHeartbeatStream(name)) return;
  // Trimmed by halves, so that a beat costs the same however many are kept.
  const oldest = positionAt(wallMsOf(record.at) - HEARTBEAT_RETENTION_MS);
  if ((stream.records[0]?.at ?? record.at) < oldest - HEARTBEAT_RETENTION_MS * IDS_PER_MS) {
    stream.records = stream.records.slice(firstAfter(stream, oldest));
  }
}

function changeClaim(group: Group, change: Exclude<Change, { do: 'append' | 'set' }>): void {
  const claim = group.claims.get(change.at);
  if (change.do === 'claim') {
    group.claims.set(change.at, { consumer: change.consumer, attempt: change.attempt, renewals: 0, released: false });
    group.delivered = Math.max(group.delivered, change.at);
  } else if (change.do === 'ack') group.claims.delete(change.at);
  else if (claim !== undefined && change.do === 'renew') claim.renewals += 1;
  else if (claim !== undefined) claim.released = true;
}

export function groupOf(stream: StoredStream, name: string): Group {
  let group = stream.groups.get(name);
  if (group === undefined) {
    group = { delivered: 0, claims: new Map() };
    stream.groups.set(name, group);
  }
  return group;
}

/** The id that comes next on this server's clock. */
export function nextAt(stream: StoredStream, wallMs: number): number {
  return Math.max(stream.last + 1, positionAt(wallMs));
}

/** The index of the first record behind `after`. */
export function firstAfter({ records }: StoredStream, after: number): number {
  let low = 0;
  let high = records.length;
  // Readers stand near the end almost always.
  if (high > 0 && (records[high - 1]?.at ?? 0) <= after) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((records[middle]?.at ?? Infinity) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function recordAt(stream: StoredStream, at: number): StoredRecord | undefined {
  const record = stream.records[firstAfter(stream, at - 1)];
  return record?.at === at ? record : undefined;
}
