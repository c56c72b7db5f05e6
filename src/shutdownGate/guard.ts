/** Wraps the one function that sends orders: asks at the door, sends in the same synchronous step, and follows the call to its end. */
import { NO_PROOF, OrderDoor, type Refused, type Submission } from './admission.js';
import { Deadlines } from './deadlines.js';
import { OrderOutcomeUnknownError, type OrderRefusal, OrderRefusedError, type Settled } from './errors.js';
import { knownOutcome } from './gate.js';
import { LoggedSend } from './intentLog/loggedSend.js';
import { DEFAULT_LABEL, labelText } from './label.js';
import { checkGuardOptions, defaultOutcomeOf, type GuardOptions } from './options.js';
import type { ExitPermit, SubmissionOutcome } from './protocol.js';

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
  /** The same for code of a shutdown hook: after the stop it cancels and reduces while that hook runs, and never increases. */
  under(exitPermit: ExitPermit): GuardedSubmit<F>;
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
  return faceOf(new GuardedCall(fn, options), undefined);
}

function faceOf<P extends unknown[], R>(call: GuardedCall<P, R>, exitPermit: ExitPermit | undefined): GuardedSubmit<(...args: P) => R> {
  return Object.assign((...args: P) => call.submit(args, exitPermit), {
    trySubmit: (...args: P) => call.trySubmit(args, exitPermit),
    under: (permit: ExitPermit) => faceOf(call, permit),
    'failflat.guarded': true,
  } as const);
}

class GuardedCall<P extends readonly unknown[], R> {
  readonly #send: (...args: P) => R;
  readonly #options: GuardOptions<P>;
  readonly #door: OrderDoor;
  readonly #outcomeOf: (error: unknown) => unknown;
  readonly #deadlines: Deadlines | undefined;
  readonly #logged: LoggedSend<P> | undefined;

  constructor(send: (...args: P) => R, options: GuardOptions<P>) {
    const { submissionTimeoutMs } = options;
    this.#send = send;
    this.#options = { ...options };
    this.#door = new OrderDoor(options);
    this.#outcomeOf = options.outcomeOf ?? defaultOutcomeOf;
    this.#deadlines = submissionTimeoutMs === undefined ? undefined : new Deadlines(this.#door.clock, submissionTimeoutMs);
    this.#logged = options.intentLog === undefined ? undefined : new LoggedSend(options.intentLog, this.#door.clock);
  }

  submit(args: P, exitPermit: ExitPermit | undefined): Promise<Awaited<R>> {
    const admission = this.#admit(args, exitPermit);
    return admission.ok ? this.#launch(admission, args, exitPermit) : Promise.reject(new OrderRefusedError(admission));
  }

  trySubmit(args: P, exitPermit: ExitPermit | undefined): Admission<Awaited<R>> {
    const admission = this.#admit(args, exitPermit);
    if (!admission.ok) return admission;
    const outcome = this.#launch(admission, args, exitPermit);
    // The caller may look at the outcome after its next await: a rejection before that must not end the process.
    outcome.then(undefined, () => undefined);
    return { ok: true, entryId: admission.entry.entryId, outcome };
  }

  #admit(args: P, exitPermit: ExitPermit | undefined): Submission | Refused {
    const intent = this.#intentOf(args);
    const proof = intent === 'reduce' ? () => this.#proofOf(args) : NO_PROOF;
    return this.#door.admit({ label: this.#labelOf(args), intent, proof, exitPermit });
  }

  #launch(submission: Submission, args: P, exitPermit: ExitPermit | undefined): Promise<Awaited<R>> {
    // A cancel adds no risk and may be sent again: no log, and no id in it, may hold it up.
    const logged = submission.intent === 'cancel' ? undefined : this.#logged;
    const followed = this.#follow(
      submission,
      logged === undefined ? this.#call(args) : this.#callLogged(logged, submission, args, exitPermit),
    );
    this.#door.tellAdmitted(submission);
    return this.#deadlines === undefined ? followed : this.#withDeadline(this.#deadlines, submission, followed);
  }

  #call(args: P): R | Promise<never> {
    const send = this.#send;
    try {
      return send(...args);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #callLogged(logged: LoggedSend<P>, submission: Submission, args: P, exitPermit: ExitPermit | undefined): Promise<Awaited<R>> {
    const send = this.#send;
    const { intent } = submission;
    const proven = intent === 'reduce' ? this.#provenOf(args) : undefined;
    return logged.send(submission, args, {
      changed: () => this.#intentOf(args) !== intent || (intent === 'reduce' && (proven ?? '') !== this.#provenOf(args)),
      refusal: () => this.#door.stillRefuses(submission, exitPermit),
      send: () => send(...args),
      outcomeOf: (error) => this.#meaningOf(error),
    });
  }

  async #follow(submission: Submission, call: R | Promise<Awaited<R>>): Promise<Awaited<R>> {
    let value: Awaited<R>;
    try {
      value = await call;
    } catch (error) {
      const outcome = submission.wasSent ? this.#meaningOf(error) : 'refused';
      submission.failure = outcome;
      this.#door.settle(submission, outcome);
      this.#door.tellSettled(submission, { outcome, error });
      throw error;
    }
    this.#door.settle(submission, 'acknowledged');
    this.#door.tellSettled(submission, { outcome: 'acknowledged', value });
    return value;
  }

  // The deadline ends the caller's wait and nothing else: the slot belongs to the call.
  #withDeadline(deadlines: Deadlines, submission: Submission, followed: Promise<Awaited<R>>): Promise<Awaited<R>> {
    const { enteredMs } = submission.entry;
    return new Promise((resolve, reject) => {
      const wait = deadlines.add(enteredMs, (nowMs) => reject(this.#timeOut(submission, followed, nowMs - enteredMs)));
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
    submission.timedOut = true;
    protocol.markTimedOut(entry);
    const settled = followed.then(
      (value): Settled<Awaited<R>> => ({ outcome: 'acknowledged', value }),
      (error: unknown): Settled<Awaited<R>> => ({ outcome: submission.failure, error }),
    );
    this.#door.tellUnknown(submission, ageMs);
    return new OrderOutcomeUnknownError({ entryId: entry.entryId, label, ageMs, settled });
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
    } catch {
      // No intent is one that nobody knows: it is refused.
      return undefined;
    }
  }

  #labelOf(args: P): string {
    if (this.#options.label === undefined) return DEFAULT_LABEL;
    try {
      return labelText(this.#options.label(...args));
    } catch {
      return DEFAULT_LABEL;
    }
  }

  // Of the order itself: the position may have moved on. Undefined where nobody can tell.
  #provenOf(args: P): string | undefined {
    try {
      const proof = this.#options.verifyReduce?.(...args);
      return proof && JSON.stringify([proof.account, proof.symbol, proof.side, proof.quantity]);
    } catch {
      return undefined;
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
