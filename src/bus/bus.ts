/** The bus port: streams, consumer groups, latches and a probe. Adapters stand in folders beside it. */
import { FailflatError } from '../errors.js';
import type { Fields } from '../messages/fields.js';

export type { Fields };

export interface BusRecord {
  /** Opaque and unique within the stream. */
  readonly id: string;
  readonly stream: string;
  /** The key it was appended under: the writer's identity for `latest`. */
  readonly key: string | undefined;
  readonly fields: Fields;
  /** The appender's wall clock, for people. */
  readonly appendedWallMs: number;
  /** The reader's monotonic clock when this read saw it: liveness is judged on this, never on the sender's word. */
  readonly receivedMs: number;
}

/** A record that could not be understood (bad checksum, not our format): reported once, never delivered, never blocking the next. */
export interface CorruptRecord {
  readonly id: string;
  readonly problem: string;
}

/** Where a reader stands: a position for each writer. Opaque to callers, plain data so that it can be stored. */
export type Cursor = Readonly<Record<string, number | string>>;

/** The cursor before the first record. */
export const FROM_START: Cursor = Object.freeze({});

export interface AppendOptions {
  /** Identity of the writer within the stream, for `latest(stream, key)`. */
  readonly key?: string;
  /** Do not commit after this reading of the caller's monotonic clock: the append is then `refused`. */
  readonly notAfterMs?: number;
  /** A second append under the same key is `refused` as `duplicate`, also from another process, and also after a crash. */
  readonly idempotencyKey?: string;
  /** How long the caller waits before it is told `unknown`. Default 500 ms. */
  readonly timeoutMs?: number;
}

/**
 * What became of an append. It is never thrown and never retried inside.
 * - `committed`: readable by others, and durable where the stream asks for it;
 * - `committed_unreplicated`: as above, but fewer replicas than asked for hold it;
 * - `refused`: surely not written, and never will be;
 * - `unknown`: it may be written or not, now or later (until its `notAfterMs`).
 */
export type AppendOutcome =
  | { readonly outcome: 'committed'; readonly id: string }
  | { readonly outcome: 'committed_unreplicated'; readonly id: string; readonly detail: string }
  | { readonly outcome: 'refused'; readonly reason: AppendRefusal; readonly detail: string }
  | { readonly outcome: 'unknown'; readonly detail: string };

/** True when the record stands on the bus, replicated or not. */
export function isCommitted(sent: AppendOutcome): sent is Extract<AppendOutcome, { outcome: 'committed' | 'committed_unreplicated' }> {
  return sent.outcome === 'committed' || sent.outcome === 'committed_unreplicated';
}

export type AppendRefusal = 'duplicate' | 'deadline_passed' | 'too_large' | 'no_space' | 'read_only' | 'unavailable' | 'closed';

export interface ReadOptions {
  /** Wait this long for a first record where there is none. Default 0: answer at once. At most 30,000. */
  readonly blockMs?: number;
  readonly signal?: AbortSignal;
  /** At most this many records. Default 1,000. */
  readonly limit?: number;
}

export interface ReadResult {
  readonly records: readonly BusRecord[];
  readonly corrupt: readonly CorruptRecord[];
  readonly cursor: Cursor;
  /** The reader's monotonic clock when contact was last proved: "no message" with fresh contact differs from "no contact". */
  readonly contactMs: number;
  /** True when records may remain beyond `limit`. */
  readonly more: boolean;
}

/** One message in the hands of one consumer. */
export interface Delivery {
  readonly record: BusRecord;
  /** 1 for the first delivery; it rises each time the message changes hands. */
  readonly deliveries: number;
  /** Shows that this consumer is still at work. False: it lost the message to another. */
  renew(): Promise<boolean>;
  /** Never delivered again. False: it was acknowledged already. Throws {@link BusUnavailableError} when that is not sure. */
  ack(): Promise<boolean>;
  /** Hands it back: the next consumer need not wait for the claim to grow old. */
  release(): Promise<void>;
}

export interface PendingEntry {
  readonly id: string;
  readonly consumer: string;
  readonly deliveries: number;
  /** Time since *this reader* first saw the claim's renewal counter stand still. */
  readonly idleMs: number;
}

/** At-least-once delivery to one of several consumers; a group sees every record of its stream from the first on. */
export interface ConsumerGroup {
  /**
   * The next message for `consumer`: its own unacknowledged ones first (after a restart under the same name), then new ones,
   * then those whose claim has stood still for `minIdleMs` in the eyes of this reader.
   * `undefined` after `blockMs` with nothing; throws {@link BusUnavailableError} without contact.
   */
  next(consumer: string, options: { readonly minIdleMs: number } & Pick<ReadOptions, 'blockMs' | 'signal'>): Promise<Delivery | undefined>;
  pending(): Promise<readonly PendingEntry[]>;
}

export interface LatchValue {
  /** 0: never set. Rises by one with each committed change. */
  readonly version: number;
  readonly fields: Fields;
  /** The reader's monotonic clock when the read was *sent*: what is decided on this value counts from there. */
  readonly sentMs: number;
}

export type CompareAndSetOutcome =
  /** `unreplicated`: fewer replicas than asked for hold it, and why. */
  | { readonly outcome: 'committed'; readonly version: number; readonly unreplicated?: string }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'refused'; readonly reason: AppendRefusal; readonly detail: string }
  | { readonly outcome: 'unknown'; readonly detail: string };

/** A small durable value that changes by compare-and-set only. */
export interface Latch {
  /** Throws {@link BusUnavailableError} without contact, {@link BusDoubtError} where the newest value cannot be understood. */
  get(): Promise<LatchValue>;
  /** Sets `fields` if the version still is `expectedVersion` (0: not set yet). */
  compareAndSet(expectedVersion: number, fields: Fields): Promise<CompareAndSetOutcome>;
  /** Resolves with the value as soon as its version differs from `knownVersion`, or with the current one after `blockMs` (at most 30,000). */
  watch(knownVersion: number, options: Pick<ReadOptions, 'blockMs' | 'signal'>): Promise<LatchValue>;
}

export type ProbeResult =
  | {
      readonly ok: true;
      readonly sentMs: number;
      readonly roundTripMs: number;
      /** Of the data: another one after a failover, and after a restart that may have lost something. */
      readonly identity: string;
      /** Why nothing may be granted on what this bus says, although it answers. */
      readonly unguarded?: string;
    }
  | { readonly ok: false; readonly detail: string };

/**
 * What every adapter holds, proved by one conformance suite: order per (stream, writer); at-least-once delivery; a deadline
 * on every call; no write ever retried or replayed by the adapter; a checksum on each record.
 */
export interface Bus {
  /** The URL as people know it, without secrets. */
  readonly url: string;
  append(stream: string, fields: Fields, options?: AppendOptions): Promise<AppendOutcome>;
  /** Throws {@link BusUnavailableError} without contact. */
  read(stream: string, cursor: Cursor, options?: ReadOptions): Promise<ReadResult>;
  /** The cursor behind everything that can be read now: for readers who want only what comes next. */
  end(stream: string): Promise<Cursor>;
  /** The newest record under `key`, if any. */
  latest(stream: string, key: string): Promise<BusRecord | undefined>;
  group(stream: string, name: string): ConsumerGroup;
  latch(key: string): Latch;
  /** Writes a record of one's own and reads it back. Never throws. */
  probe(): Promise<ProbeResult>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** No contact with the bus, or an operation that did not end by its deadline. */
export class BusUnavailableError extends FailflatError {
  constructor(detail: string, options?: ErrorOptions) {
    super('bus_unavailable', detail, options);
  }
}

/** The bus answers, but what it holds cannot be trusted: doubt means halted. */
export class BusDoubtError extends BusUnavailableError {}

/** A place where no bus can be kept (a network file system, a directory that cannot be written, a wrong format). */
export class BusUnsuitableError extends FailflatError {
  constructor(detail: string, options?: ErrorOptions) {
    super('bus_unsuitable', detail, options);
  }
}
