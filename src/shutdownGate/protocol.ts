/**
 * What a guard and a gate say to each other: functions over plain values, so that two installed copies of failflat can
 * share one gate. A change that an older copy would misread needs a new version.
 */

import type { Refusal } from '../permission.js';

/** How long a drain waits when nobody says. */
export const DEFAULT_DRAIN_TIMEOUT_MS = 8_000;

/** A drain must outlast the longest broker call by so much: its answer has yet to reach the door. */
export const BROKER_MARGIN_MS = 500;

/** What became of a submission: `refused` means surely never sent, `unknown` means that it may have reached the venue. */
export type SubmissionOutcome = 'acknowledged' | 'refused' | 'unknown';

/** `in_flight`: the call runs. `timed_out`: it still runs, and its caller was told "unknown". `unknown`: it ended without an answer. */
export type UnfinishedState = 'in_flight' | 'timed_out' | 'unknown';

export interface UnfinishedEntry {
  readonly entryId: number;
  readonly label: string;
  /** Since admission. */
  readonly ageMs: number;
  readonly state: UnfinishedState;
}

export interface DrainReport {
  /** No call is in flight. Entries whose outcome is unknown may remain: they stand in `unfinished`. */
  readonly drained: boolean;
  readonly waitedMs: number;
  /** Everything in flight or of unknown outcome, the oldest first. */
  readonly unfinished: readonly UnfinishedEntry[];
  /** Orders in flight in other threads that share this gate: they are known by their number alone, and hold the drain as well. */
  readonly inflightElsewhere: number;
}

export interface GateStatus {
  readonly requested: boolean;
  readonly reason: string | undefined;
  /** When the shutdown was requested, for people. */
  readonly sinceWallMs: number | undefined;
  readonly inflight: number;
  readonly unknownOutcomes: number;
  readonly oldestInflightAgeMs: number | undefined;
  /** The longest `brokerTimeoutMs` that any guard of this gate was given: what a drain must cover. */
  readonly longestBrokerTimeoutMs: number | undefined;
}

/** `in_flight`: the call has not ended, so nothing can be said yet. `not_found`: no such entry, or its outcome is known already. */
export type ResolveResult = 'resolved' | 'in_flight' | 'not_found';

export const PROTOCOL_VERSION = 1;

/**
 * Allows cancels and verified reductions after the stop, for as long as the shutdown hook runs that it was handed to. The gate
 * that made it knows it by identity.
 */
export interface ExitPermit {
  readonly 'failflat.exitPermit': true;
}

/** One counted submission: the gate made it, and gets it back as it was. */
export interface GateEntry {
  readonly entryId: number;
  /** When it was counted in, on the clock of its guard. */
  readonly enteredMs: number;
}

export interface GateProtocol {
  readonly version: number;
  requested(): boolean;
  /** What the door tells after a shutdown was requested, else undefined. */
  refusal(): Refusal | undefined;
  signal(): AbortSignal;
  status(): GateStatus;
  inflight(): number;
  unknownOutcomes(): number;
  /** Everything in flight or of unknown outcome, the oldest first. */
  unfinished(): readonly UnfinishedEntry[];
  requestShutdown(reason: string): void;
  /** Counts one submission in. Undefined: the shutdown was requested, nothing honours `exitPermit`, and nothing may be sent. */
  enter(label: string, nowMs: number, exitPermit?: ExitPermit): GateEntry | undefined;
  issueExitPermit(): ExitPermit;
  /** Honours a permit that another gate of the same shutdown has issued. */
  adoptExitPermit(permit: ExitPermit): void;
  revokeExitPermit(permit: ExitPermit): void;
  honours(permit: ExitPermit): boolean;
  /** The caller stopped waiting. The slot is kept. */
  markTimedOut(entry: GateEntry): void;
  /** The call ended: frees the slot. Only the first call for an entry counts. */
  settle(entry: GateEntry, outcome: SubmissionOutcome): void;
  resolve(entryId: number, outcome: SubmissionOutcome, by: string): ResolveResult;
  /** Calls `listener` whenever an unknown outcome was resolved. */
  onResolved(listener: (entryId: number, outcome: SubmissionOutcome) => void): void;
  waitForInflightZero(timeoutMs: number): Promise<DrainReport>;
  /** Throws a configuration error where the drain that was promised is too short for it, or a holder of a lease has registered less. */
  coverBrokerTimeout(brokerTimeoutMs: number): void;
  /** What a holder of a lease has registered: no guard may take longer. Undefined lifts it. Copies that came before leases did lack it. */
  limitBrokerTimeout?(holder: object, limitMs: number | undefined): void;
  /** Promises that a shutdown drains for so long; undefined: nobody promises. Throws where a broker call outlasts it. */
  promiseDrain(drainTimeoutMs: number | undefined): void;
}
