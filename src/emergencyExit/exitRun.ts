/** What one exit of an account is given, and how it ends. */
import type { Broker, WorkingOrder } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import type { CloseMemory } from './closeMemory.js';
import type { ExitLedger } from './ledger.js';
import type { ExitTimings } from './options.js';
import type { Verdict } from './verdict.js';

export interface ExitRun {
  readonly broker: Broker;
  readonly ledger: ExitLedger;
  readonly clock: Clock;
  readonly timings: ExitTimings;
  /** Runs tasks with bounded concurrency. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  /** As `limit`, for cancels: a venue whose cancels hang must not keep closes waiting. */
  readonly limitCancels: <T>(task: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
  /** Readings that have failed for so long end the run: another worker may reach the venue. Default: never, there is no other. */
  readonly outOfReachMs?: number;
  /** Asked while the first facts are read, before the book is: false ends the run. Default: it may. */
  readonly mayBegin?: () => Promise<boolean>;
  /** The working orders, if they were asked for already: what is to be cancelled first. Default: they are read at the start. */
  readonly working?: Promise<readonly WorkingOrder[]> | undefined;
  /** How many panics wait for a verdict: what has been said is said again when one more does. Default: always the same one. */
  readonly panics?: () => number;
  /** What earlier runs of this process for this account knew of their closes. */
  readonly remembered: CloseMemory;
  /** Told of each new verdict; the exit goes on after all but `flat` and `dust`. False: it could not be recorded, and is not said. */
  readonly onVerdict: (judgement: Verdict, progress: ExitProgress) => Promise<boolean>;
}

export interface ExitProgress {
  /** Positions that were seen open at any time of this run. */
  readonly total: number;
  readonly closed: number;
  readonly openSymbols: readonly string[];
}

/** Before any book has been read. */
export const NO_PROGRESS: ExitProgress = { total: 0, closed: 0, openSymbols: [] };

/**
 * `over`: flat or dust was recorded. `stopped`: the signal, or the claim went to another worker. `out_of_reach`: this worker
 * cannot close here, another one may.
 */
export type ExitEnd = 'over' | 'stopped' | 'out_of_reach';
