/** Lets one submission in, or says why not: everything between the caller's intent and the count, in one synchronous step. */
import type { Clock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { isolated } from '../logger.js';
import type { IntentKind, Permission, Refusal } from '../permission.js';
import { doubt, firstRefusal, isIntent } from './door.js';
import type { OrderRefusal, Settled } from './errors.js';
import { SHUT, type ShutdownGate } from './gate.js';
import { DEFAULT_MAX_POSITION_AGE_MS, type DoorOptions, type GuardEvent } from './options.js';
import { shutdownGate } from './processGate.js';
import type { ExitPermit, GateEntry, GateProtocol, SubmissionOutcome } from './protocol.js';
import { type ReduceProof, type Reduction, reductionsOf, settleReduction } from './reductions.js';

/** What a caller asks for. `proof` answers undefined with any intent but `reduce`. */
export interface AdmissionRequest {
  readonly label: string;
  readonly intent: unknown;
  readonly proof: () => unknown;
  readonly exitPermit: ExitPermit | undefined;
}

/** For orders of which nobody asks a proof. */
export const NO_PROOF = (): undefined => undefined;

export interface Submission {
  readonly ok: true;
  readonly protocol: GateProtocol;
  readonly entry: GateEntry;
  readonly label: string;
  readonly intent: IntentKind;
  readonly reduction: Reduction | undefined;
  timedOut: boolean;
  /** False once it is sure that the call was never made. */
  wasSent: boolean;
  /** What a rejection of the call meant. */
  failure: 'refused' | 'unknown';
}

export type Refused = { readonly ok: false } & OrderRefusal;

/** Whoever closes the book waits for as long as a permission has answered for, and no longer. */
function longestCallMs(brokerTimeoutMs: number | undefined, permissions: readonly Permission[]): number | undefined {
  let longestMs = brokerTimeoutMs;
  for (const { name, brokerTimeoutMs: answeredMs } of permissions) {
    if (answeredMs === undefined) continue;
    if (brokerTimeoutMs !== undefined && brokerTimeoutMs > answeredMs)
      throw new ConfigurationError(
        'brokerTimeoutMs',
        brokerTimeoutMs,
        `must be at most ${answeredMs}: ${name} answers for calls of no more`,
      );
    longestMs ??= answeredMs;
  }
  return longestMs;
}

export class OrderDoor {
  readonly clock: Clock;
  readonly #gate: ShutdownGate;
  readonly #permissions: readonly Permission[];
  readonly #maxPositionAgeMs: number;
  readonly #observe: ((event: GuardEvent) => void) | undefined;

  constructor(options: DoorOptions) {
    const { gate = shutdownGate, killSwitch, lease, breakers, permissions = [] } = options;
    this.#gate = gate;
    this.clock = options.clock ?? gate.clock;
    this.#permissions = [killSwitch, lease, breakers, ...permissions].filter((permission) => permission !== undefined);
    this.#maxPositionAgeMs = options.maxPositionAgeMs ?? DEFAULT_MAX_POSITION_AGE_MS;
    this.#observe = options.observe;
    const brokerTimeoutMs = longestCallMs(options.brokerTimeoutMs, this.#permissions);
    if (brokerTimeoutMs !== undefined) gate.protocol.coverBrokerTimeout(brokerTimeoutMs);
  }

  /** Never throws. The clock is read and the gate asked after the caller's functions ran: whatever they took or changed, the checks see it. */
  admit(request: AdmissionRequest): Submission | Refused {
    try {
      return this.#decide(request);
    } catch (thrown) {
      // A clock or a getter of a proof: nothing was counted in yet, and nothing is sent.
      return this.#refuse(request.label, undefined, doubt('order_door', `the door itself failed: ${messageOf(thrown)}`));
    }
  }

  /** Asks once more for an order that was let in, after an `await` of its own; no cancel has one. Throws where a clock does. */
  stillRefuses({ protocol, intent, entry }: Submission, exitPermit: ExitPermit | undefined): OrderRefusal | undefined {
    // A reduction that was let in stands in its book: what was proven of it still holds.
    return this.#shut(protocol, intent, exitPermit) ?? this.#firstRefusal(this.clock.monotonicMs(), intent, entry.entryId);
  }

  settle({ protocol, entry, reduction }: Submission, outcome: SubmissionOutcome): void {
    // First of all: an order that has ended is in flight no more, whatever becomes of the clock.
    protocol.settle(entry, outcome);
    if (reduction !== undefined) settleReduction(reduction, outcome, this.#monotonicMsIfAny());
  }

  // Without a reading a reduction counts as not yet shown by any position: less is let through, never more.
  #monotonicMsIfAny(): number {
    try {
      return this.clock.monotonicMs();
    } catch {
      return Number.NaN;
    }
  }

  // Observers hear of the admission after the call was made: one that shuts the gate cannot get between check and call.
  tellAdmitted({ entry: { entryId }, label, intent }: Submission): void {
    if (this.#observe !== undefined) isolated(this.#observe, { type: 'admitted', entryId, label, intent });
  }

  tellSettled(submission: Submission, settled: Settled<unknown>): void {
    if (this.#observe === undefined) return;
    const { entry, label, timedOut } = submission;
    const { entryId, enteredMs } = entry;
    const ageMs = this.#monotonicMsIfAny() - enteredMs;
    isolated(this.#observe, { type: timedOut ? 'lateSettled' : 'settled', entryId, label, ageMs, settled });
  }

  tellUnknown({ entry: { entryId }, label }: Submission, ageMs: number): void {
    if (this.#observe !== undefined) isolated(this.#observe, { type: 'unknown', entryId, label, ageMs });
  }

  tellRefused(label: string, intent: unknown, refusal: OrderRefusal): void {
    if (this.#observe === undefined) return;
    isolated(this.#observe, { type: 'refused', label, intent: isIntent(intent) ? intent : 'increase', refusal });
  }

  // From the reading of the clock to the caller's call there is no await, and the gate itself is asked last, as it counts the order in.
  #decide({ label, intent, proof, exitPermit }: AdmissionRequest): Submission | Refused {
    const protocol = this.#gate.protocol;
    const shut = this.#shut(protocol, intent, exitPermit);
    if (shut !== undefined) return this.#refuse(label, intent, shut);
    if (!isIntent(intent))
      return this.#refuse(label, intent, doubt('intent', 'the intent of the order is not known: not one of increase, reduce, cancel'));
    const claimed = proof();
    const nowMs = this.clock.monotonicMs();
    if (!Number.isFinite(nowMs)) return this.#refuse(label, intent, doubt('order_door', `the clock of the door reads ${nowMs}`));
    const refusal = intent === 'cancel' ? undefined : this.#firstRefusal(nowMs, intent, undefined);
    if (refusal !== undefined) return this.#refuse(label, intent, refusal);
    if (intent !== 'reduce') return this.#enter({ protocol, label, intent, nowMs, exitPermit });
    const book = reductionsOf(protocol, this.clock);
    book.keepFor(this.#maxPositionAgeMs);
    const verdict = book.verify(claimed, nowMs, this.#maxPositionAgeMs);
    if (!verdict.holds) return this.#refuse(label, intent, verdict.refusal);
    return this.#enter({ protocol, label, intent, nowMs, exitPermit, proof: verdict.proof });
  }

  // Each reading of a clock costs as much as all else that a permission does: where several may want the wall clock, it is read for all.
  #firstRefusal(nowMs: number, intent: IntentKind, entryId: number | undefined): Refusal | undefined {
    const wallMs = this.#permissions.length > 1 ? this.clock.wallMs() : undefined;
    return firstRefusal(this.#permissions, { nowMs, intent, entryId, wallMs });
  }

  // After the shutdown a hook may still take risk away, never add any.
  #shut(protocol: GateProtocol, intent: unknown, exitPermit: ExitPermit | undefined): OrderRefusal | undefined {
    const takesAway = intent === 'cancel' || intent === 'reduce';
    return takesAway && exitPermit !== undefined && protocol.honours(exitPermit) ? undefined : protocol.refusal();
  }

  #enter(order: {
    readonly protocol: GateProtocol;
    readonly label: string;
    readonly intent: IntentKind;
    readonly nowMs: number;
    readonly exitPermit: ExitPermit | undefined;
    readonly proof?: ReduceProof;
  }): Submission | Refused {
    const { protocol, label, intent, nowMs, exitPermit, proof } = order;
    const entry = protocol.enter(label, nowMs, intent === 'increase' ? undefined : exitPermit);
    if (entry === undefined) return this.#refuse(label, intent, protocol.refusal() ?? SHUT);
    const reduction = proof === undefined ? undefined : reductionsOf(protocol, this.clock).add(proof, entry.entryId, nowMs);
    return { ok: true, protocol, entry, label, intent, reduction, timedOut: false, wasSent: true, failure: 'unknown' };
  }

  #refuse(label: string, intent: unknown, refusal: OrderRefusal): Refused {
    this.tellRefused(label, intent, refusal);
    // Field by field: a spread costs ten times as much, and under a halt every order comes this way.
    const { code, source, reason, sinceWallMs, retryAfterMs, maxQuantity } = refusal;
    const refused: { -readonly [Field in keyof Refused]: Refused[Field] } = { ok: false, code, source, reason };
    if (sinceWallMs !== undefined) refused.sinceWallMs = sinceWallMs;
    if (retryAfterMs !== undefined) refused.retryAfterMs = retryAfterMs;
    if (maxQuantity !== undefined) refused.maxQuantity = maxQuantity;
    return refused;
  }
}
