/** What an in-process bus holds, shared by all its handles. */
import type { Clock } from '../clock.js';
import type { Random } from '../random.js';
import type { BusRecord, Fields } from './bus.js';
import { HEARTBEAT_RETENTION_MS, isHeartbeatStream } from './policy.js';
import { Wakeups } from './waiting.js';

export interface StoredEntry {
  readonly position: number;
  readonly record: Omit<BusRecord, 'receivedMs'> | undefined;
  readonly appendedMs: number;
}

export interface StoredStream {
  entries: StoredEntry[];
  nextPosition: number;
  readonly latest: Map<string, Omit<BusRecord, 'receivedMs'>>;
  readonly keys: Set<string>;
  readonly groups: Map<string, GroupStore>;
  readonly changed: Wakeups;
}

export interface MemoryStore {
  readonly clock: Clock;
  readonly random: Random;
  readonly capacity: number;
  readonly identity: string;
  readonly streams: Map<string, StoredStream>;
  readonly latches: Map<string, LatchStore>;
  writers: number;
}

export interface StoredClaim {
  readonly consumer: string;
  readonly attempt: number;
  renewals: number;
  released: boolean;
}

export interface StoredMessage {
  readonly record: Omit<BusRecord, 'receivedMs'>;
  claim: StoredClaim | undefined;
  acked: boolean;
}

export interface GroupStore {
  /** Unacknowledged messages, oldest first. */
  readonly messages: Map<string, StoredMessage>;
  readonly changed: Wakeups;
  nextPosition: number;
}

export interface LatchStore {
  version: number;
  /** Undefined: spoiled. */
  fields: Fields | undefined;
  readonly changed: Wakeups;
}

export function streamOf(store: MemoryStore, name: string): StoredStream {
  let stream = store.streams.get(name);
  if (stream === undefined) {
    stream = { entries: [], nextPosition: 0, latest: new Map(), keys: new Set(), groups: new Map(), changed: new Wakeups() };
    store.streams.set(name, stream);
  }
  return stream;
}

export function latchOf(store: MemoryStore, key: string): LatchStore {
  let latch = store.latches.get(key);
  if (latch === undefined) {
    latch = { version: 0, fields: {}, changed: new Wakeups() };
    store.latches.set(key, latch);
  }
  return latch;
}

export function addEntry(store: MemoryStore, stream: StoredStream, record: Omit<BusRecord, 'receivedMs'> | undefined): void {
  stream.entries.push({ position: stream.nextPosition, record, appendedMs: store.clock.monotonicMs() });
  stream.nextPosition += 1;
  if (record?.key !== undefined) stream.latest.set(record.key, record);
  stream.changed.wakeAll();
}

export function trimOld(store: MemoryStore, name: string, stream: StoredStream): void {
  if (!isHeartbeatStream(name)) return;
  const oldestMs = store.clock.monotonicMs() - HEARTBEAT_RETENTION_MS;
  const kept = stream.entries.findIndex((entry) => entry.appendedMs >= oldestMs);
  if (kept !== 0) stream.entries = kept === -1 ? [] : stream.entries.slice(kept);
}
