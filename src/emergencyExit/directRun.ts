/** Closes an account with no bus at all, by the same planner as an exit worker. */
import type { Broker } from '../broker/broker.js';
import { type Clock, systemClock } from '../clock.js';
import { FailflatError } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { type Random, systemRandom } from '../random.js';
import { CloseMemory } from './closeMemory.js';
import { checkIdentity } from './condition.js';
import { runExit } from './executor.js';
import { type ExitProgress, NO_PROGRESS } from './exitRun.js';
import type { ExitLedger } from './ledger.js';
import { type ExitTimings, resolveConcurrency, resolveTimings } from './options.js';
import type { Verdict } from './verdict.js';

export interface DirectExitOptions {
  readonly broker: Broker;
  readonly account: string;
  /** What the venue must call itself. Default: not checked, the account alone must match. */
  readonly environment?: string;
  /** Closes at the same time. Default 10. */
  readonly concurrency?: number;
  /** Default: those of an exit worker. */
  readonly timings?: Partial<ExitTimings>;
  /** Ends the exit before its time, with the verdict `stopped`. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Told of each step, for a person who watches. */
  readonly observe?: (event: string, cause: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface DirectExitResult {
  readonly verdict: Verdict['verdict'] | 'stopped';
  readonly progress: ExitProgress;
  readonly residue: readonly { readonly symbol: string; readonly quantity: number; readonly why: string }[];
}

/** Nobody can be asked who else may have orders on the way, so the best verdict is `flat_unconfirmed`. */
const NOBODY_ASKED = '(no bus: holders are not known)';

/** See `directExit`. */
export async function runDirectExit(options: DirectExitOptions): Promise<DirectExitResult> {
  const { broker, account, environment, clock = systemClock, random = systemRandom, signal } = options;
  const timings = resolveTimings(options.timings);
  const logger = isolatedLogger(options.logger);
  const identity = await checkIdentity({ broker, account, environment, clock, readTimeoutMs: timings.readTimeoutMs });
  if (identity.kind !== 'matches') {
    const found = identity.kind === 'differs' ? `the venue answers for ${identity.found}` : identity.detail;
    throw new FailflatError('broker_unavailable', `account = ${account}: ${found}`);
  }
  const { default: pLimit } = await import('p-limit');
  const limit = pLimit(resolveConcurrency(options.concurrency));
  const limitCancels = pLimit(resolveConcurrency(options.concurrency));
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal?.addEventListener('abort', abort, { once: true });
  // It may have been told to end while the venue was asked who it is.
  if (signal?.aborted === true) abort();
  let result: DirectExitResult = { verdict: 'stopped', progress: NO_PROGRESS, residue: [] };
  // The exit judges the deadline itself, unless it never comes to judge, or has something else to say of the book.
  const lastMs = timings.deadlineMs + timings.readTimeoutMs;
  const deadline = clock.setTimer(lastMs, () => {
    if (result.verdict === 'stopped') result = { ...result, verdict: 'deadline_passed', residue: [unseenBook(lastMs)] };
    stop.abort();
  });
  await runExit({
    broker,
    ledger: memoryLedger({
      timings,
      orderPrefix: `ffd-${random.id().slice(0, 8)}`,
      mayBeRepeating: false,
      haltedMs: clock.monotonicMs(),
      note(event, cause, details) {
        logger.info({ event, ...details }, cause);
        options.observe?.(event, cause, details);
      },
    }),
    clock,
    timings,
    limit: (task) => limit(task),
    limitCancels: (task) => limitCancels(task),
    signal: stop.signal,
    remembered: new CloseMemory(),
    onVerdict: async (judgement, progress) => {
      result = { verdict: judgement.verdict, progress, residue: judgement.residue };
      // A closed market or a lost answer may still come right before the deadline: only an end ends it.
      if (judgement.kind === 'completed' || judgement.verdict === 'deadline_passed') stop.abort();
      return true;
    },
  });
  deadline.cancel();
  signal?.removeEventListener('abort', abort);
  return result;
}

const unseenBook = (withinMs: number) => ({ symbol: '*', quantity: 0, why: `nothing could be said of the book in ${withinMs} ms` });

export interface MemoryLedgerOptions extends Pick<ExitLedger, 'orderPrefix' | 'mayBeRepeating' | 'note'> {
  readonly timings: Pick<ExitTimings, 'leaseTtlMs' | 'brokerTimeoutMs'>;
  /** Monotonic clock: from when on no lease is renewed any more. */
  readonly haltedMs: number;
}

/** The ledger of an exit without a bus: one owner, no predecessor, nobody who could be asked about other orders. */
export function memoryLedger({ timings, orderPrefix, mayBeRepeating, haltedMs, note }: MemoryLedgerOptions): ExitLedger {
  const horizonMs = haltedMs + timings.leaseTtlMs + timings.brokerTimeoutMs;
  return {
    orderPrefix,
    mayBeRepeating,
    inherited: () => Promise.resolve({ attempts: [], unreadable: [] }),
    recordAttempt: (attempt) => {
      note('exit.close_attempt', `${attempt.side} ${attempt.quantity} ${attempt.symbol}`, { ...attempt });
      return Promise.resolve(true);
    },
    mayAct: () => true,
    progressed() {},
    drain: () => ({ haltedMs, horizonMs, silentHolders: [NOBODY_ASKED] }),
    note,
  };
}
