/** Wraps the one function that sends orders: asks at the door, sends in the same synchronous step, and follows the call to its end. */
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import { isolated } from '../logger.js';
import type { IntentKind, Permission } from '../permission.js';
import { Deadlines } from './deadlines.js';
import { doubt, firstRefusal, isIntent } from './door.js';
import { OrderOutcomeUnknownError, type OrderRefusal, OrderRefusedError, type Settled } from './errors.js';
import { knownOutcome, SHUT, type ShutdownGate } from './gate.js';
import {
  checkGuardOptions,
  DEFAULT_LABEL,
  DEFAULT_MAX_POSITION_AGE_MS,
  defaultOutcomeOf,
  type GuardEvent,
  type GuardOptions,
} from './options.js';
import { shutdownGate } from './processGate.js';
import type { GateEntry, GateProtocol, SubmissionOutcome } from './protocol.js';
import { type ReduceProof, type Reduction, reductionsOf, settleReduction } from './reductions.js';

/** The answer of `trySubmit`. `outcome` may be awaited late: its rejection is never reported as unhandled. */
export type Admission<R> =
  | { readonly ok: true; readonly entryId: number; readonly outcome: Promise<R> }
  | ({ readonly ok: false } & OrderRefusal);

/** A function that only sends what the door admits. An order path that demands this type does not take an unguarded function. */
export interface GuardedSubmit<F extends (...args: never[]) => unknown> {
  /** Rejects with `OrderRefusedError`, with `OrderOutcomeUnknownError` when the wait ended first, or as the call itself does. Never retries. */
  (...args: Parameters<F>): Promise<Awaited<ReturnType<F>>>;
  /** Never throws and never rejects for a refusal. */
  trySubmit(...args: Parameters<F>): Admission<Awaited<ReturnType<F>>>;
  /** The brand: a string key, so that types of two installed copies agree. */
  readonly 'failflat.guarded': true;
}

/**
 * Guards `fn`, which sends an order. `fn` is called synchronously at admission; a throw becomes a rejection.
 * Throws `ConfigurationError` for an option that cannot hold.
 */
export function guardOrderSubmission<F extends (...args: never[]) => unknown>(
  fn: F,
  options?: GuardOptions<Parameters<F>>,
): GuardedSubmit<F>;
export function guardOrderSubmission<P extends unknown[], R>(
  fn: (...args: P) => R,
  options: GuardOptions<P> = {},
): GuardedSubmit<(...args: P) => R> {
  checkGuardOptions(fn, options);
  const door = new OrderDoor(fn, options);
  return Object.assign((...args: P) => door.submit(args), {
    trySubmit: (...args: P) => door.trySubmit(args),
    'failflat.guarded': true,
  } as const);
}

interface Submission {
  readonly ok: true;
  readonly protocol: GateProtocol;
  readonly entry: GateEntry;
  readonly label: string;
  readonly intent: IntentKind;
  readonly admittedMs: number;
  readonly reduction: Reduction | undefined;
  timedOut: boolean;
  /** What a rejection of the call meant. */
  failure: 'refused' | 'unknown';
}

type Refused = { readonly ok: false } & OrderRefusal;

class OrderDoor<P extends readonly unknown[], R> {
  readonly #send: (...args: P) => R;
  readonly #options: GuardOptions<P>;
  readonly #gate: ShutdownGate;
  readonly #clock: Clock;
  readonly #permissions: readonly Permission[];
  readonly #maxPositionAgeMs: number;
  readonly #outcomeOf: (error: unknown) => unknown;
  readonly #observe: ((event: GuardEvent) => void) | undefined;
  readonly #deadlines: Deadlines | undefined;

  constructor(send: (...args: P) => R, options: GuardOptions<P>) {
    const { gate = shutdownGate, killSwitch, lease, breakers, permissions = [], submissionTimeoutMs, brokerTimeoutMs } = options;
    this.#send = send;
    this.#options = { ...options };
    this.#gate = gate;
    this.#clock = options.clock ?? gate.clock;
    this.#permissions = [killSwitch, lease, breakers, ...permissions].filter((permission) => permission !== undefined);
    this.#maxPositionAgeMs = options.maxPositionAgeMs ?? DEFAULT_MAX_POSITION_AGE_MS;
    this.#outcomeOf = options.outcomeOf ?? defaultOutcomeOf;
    this.#observe = options.observe;
    this.#deadlines = submissionTimeoutMs === undefined ? undefined : new Deadlines(this.#clock, submissionTimeoutMs);
    if (brokerTimeoutMs !== undefined) gate.protocol.coverBrokerTimeout(brokerTimeoutMs);
  }

  submit(args: P): Promise<Awaited<R>> {
    const admission = this.#admit(args);
    return admission.ok ? this.#launch(admission, args) : Promise.reject(new OrderRefusedError(admission));
  }

  trySubmit(args: P): Admission<Awaited<R>> {
    const admission = this.#admit(args);
    if (!admission.ok) return admission;
    const outcome = this.#launch(admission, args);
    // The caller may look at the outcome after its next await: a rejection before that must not end the process.
    outcome.then(undefined, () => undefined);
    return { ok: true, entryId: admission.entry.entryId, outcome };
  }

  #admit(args: P): Submission | Refused {
    try {
      return this.#decide(args);
    } catch (thrown) {
      // A clock or a getter of a proof: nothing was counted in yet, and nothing is sent.
      return this.#refuse(DEFAULT_LABEL, undefined, doubt('order_door', `the door itself failed: ${messageOf(thrown)}`));
    }
  }

  // The caller's functions run first and the clock is read after them: whatever they took or changed, the checks see it.
  // From that reading to the call of #send there is no await, and the gate itself is asked last, as it counts the order in.
  #decide(args: P): Submission | Refused {
    const protocol = this.#gate.protocol;
    const intent = this.#intentOf(args);
    const label = this.#labelOf(args);
    const shut = protocol.refusal();
    if (shut !== undefined) return this.#refuse(label, intent, shut);
    if (!isIntent(intent))
      return this.#refuse(label, 'increase', doubt('intent', 'the intent of the order is not known: not one of increase, reduce, cancel'));
    const claimed = intent === 'reduce' ? this.#proofOf(args) : undefined;
    const nowMs = this.#clock.monotonicMs();
    const refusal = intent === 'cancel' ? undefined : firstRefusal(this.#permissions, nowMs, intent);
    if (refusal !== undefined) return this.#refuse(label, intent, refusal);
    return intent === 'reduce' ? this.#enterReduce(protocol, label, claimed, nowMs) : this.#enter(protocol, label, intent, nowMs);
  }

  #enterReduce(protocol: GateProtocol, label: string, claimed: unknown, nowMs: number): Submission | Refused {
    const book = reductionsOf(protocol, this.#clock);
    book.keepFor(this.#maxPositionAgeMs);
    const verdict = book.verify(claimed, nowMs, this.#maxPositionAgeMs);
    if (!verdict.holds) return this.#refuse(label, 'reduce', verdict.refusal);
    return this.#enter(protocol, label, 'reduce', nowMs, verdict.proof);
  }

  #enter(protocol: GateProtocol, label: string, intent: IntentKind, nowMs: number, proof?: ReduceProof): Submission | Refused {
    const entry = protocol.enter(label, nowMs);
    if (entry === undefined) return this.#refuse(label, intent, protocol.refusal() ?? SHUT);
    const reduction = proof === undefined ? undefined : reductionsOf(protocol, this.#clock).add(proof, entry.entryId);
    return { ok: true, protocol, entry, label, intent, admittedMs: nowMs, reduction, timedOut: false, failure: 'unknown' };
  }

  #refuse(label: string, intent: unknown, refusal: OrderRefusal): Refused {
    if (this.#observe !== undefined) {
      isolated(this.#observe, { type: 'refused', label, intent: isIntent(intent) ? intent : 'increase', refusal });
    }
    return { ...refusal, ok: false };
  }

  // Observers hear of the admission after the call was made: one that shuts the gate cannot get between check and call.
  #launch(submission: Submission, args: P): Promise<Awaited<R>> {
    const send = this.#send;
    let call: R | Promise<never>;
    try {
      call = send(...args);
    } catch (thrown) {
      call = Promise.reject(thrown);
    }
    const followed = this.#follow(submission, call);
    if (this.#observe !== undefined) this.#tellAdmitted(submission);
    return this.#deadlines === undefined ? followed : this.#withDeadline(this.#deadlines, submission, followed);
  }

  #tellAdmitted({ entry: { entryId }, label, intent }: Submission): void {
    isolated(this.#observe, { type: 'admitted', entryId, label, intent });
  }

  async #follow(submission: Submission, call: R | Promise<never>): Promise<Awaited<R>> {
    let value: Awaited<R>;
    try {
      value = await call;
    } catch (error) {
      const outcome = this.#meaningOf(error);
      submission.failure = outcome;
      this.#settle(submission, outcome);
      if (this.#observe !== undefined) this.#tellSettled(submission, { outcome, error });
      throw error;
    }
    this.#settle(submission, 'acknowledged');
    if (this.#observe !== undefined) this.#tellSettled(submission, { outcome: 'acknowledged', value });
    return value;
  }

  #settle({ protocol, entry, reduction }: Submission, outcome: SubmissionOutcome): void {
    if (reduction !== undefined) settleReduction(reduction, outcome, this.#clock.monotonicMs());
    protocol.settle(entry, outcome);
  }

  #tellSettled({ entry: { entryId }, label, admittedMs, timedOut }: Submission, settled: Settled<unknown>): void {
    const ageMs = this.#clock.monotonicMs() - admittedMs;
    isolated(this.#observe, { type: timedOut ? 'lateSettled' : 'settled', entryId, label, ageMs, settled });
  }

  // The deadline ends the caller's wait and nothing else: the slot belongs to the call.
  #withDeadline(deadlines: Deadlines, submission: Submission, followed: Promise<Awaited<R>>): Promise<Awaited<R>> {
    const { admittedMs } = submission;
    return new Promise((resolve, reject) => {
      const wait = deadlines.add(admittedMs, (nowMs) => reject(this.#timeOut(submission, followed, nowMs - admittedMs)));
      followed.then(
        (value) => {
          wait.end();
          resolve(value);
        },
        (error: unknown) => {
          wait.end();
          reject(error);
        },
      );
    });
  }

  #timeOut(submission: Submission, followed: Promise<Awaited<R>>, ageMs: number): OrderOutcomeUnknownError<Awaited<R>> {
    const { protocol, entry, label } = submission;
    const { entryId } = entry;
    submission.timedOut = true;
    protocol.markTimedOut(entry);
    const settled = followed.then(
      (value): Settled<Awaited<R>> => ({ outcome: 'acknowledged', value }),
      (error: unknown): Settled<Awaited<R>> => ({ outcome: submission.failure, error }),
    );
    isolated(this.#observe, { type: 'unknown', entryId, label, ageMs });
    return new OrderOutcomeUnknownError({ entryId, label, ageMs, settled });
  }

  #meaningOf(error: unknown): Exclude<SubmissionOutcome, 'acknowledged'> {
    try {
      return knownOutcome(this.#outcomeOf(error)) === 'refused' ? 'refused' : 'unknown';
    } catch {
      // A classifier that throws has not shown that the order was never sent.
      return 'unknown';
    }
  }

  #intentOf(args: P): unknown {
    const { intent = 'increase' } = this.#options;
    if (typeof intent !== 'function') return intent;
    try {
      return intent(...args);
    } catch (thrown) {
      return { threw: thrown };
    }
  }

  #labelOf(args: P): string {
    if (this.#options.label === undefined) return DEFAULT_LABEL;
    try {
      return String(this.#options.label(...args));
    } catch {
      // A label is for reports: it must not decide whether an order is sent.
      return DEFAULT_LABEL;
    }
  }

  #proofOf(args: P): unknown {
    try {
      return this.#options.verifyReduce?.(...args);
    } catch {
      // No proof, for whatever reason, is refused as such.
      return undefined;
    }
  }
}
