/** A permit for one submission, for code that cannot be wrapped: taken before the order is sent, given back with what became of it. */
import type { IntentKind, Permission } from '../permission.js';
import { OrderDoor, type Submission } from './admission.js';
import { OrderRefusedError } from './errors.js';
import { labelText } from './label.js';
import { checkDoorOptions, type DoorOptions, defaultOutcomeOf } from './options.js';
import type { ExitPermit, SubmissionOutcome } from './protocol.js';
import type { ReduceProof } from './reductions.js';

export interface OrderSubmissionGuardOptions extends Omit<DoorOptions, 'permissions' | 'killSwitch' | 'lease' | 'breakers'> {
  /** What the order does. Default `increase`. */
  readonly intent?: IntentKind;
  /** Proof for `reduce`. Without one it is refused `not_reducing`. */
  readonly proof?: ReduceProof;
  /** Of the shutdown hook that this code runs in. */
  readonly exitPermit?: ExitPermit;
}

/**
 * Holds one slot of the gate from its construction until it is told the outcome. Send in the same synchronous step:
 *
 * ```ts
 * using permit = new OrderSubmissionGuard([killSwitch, lease], order.clientOrderId);
 * await session.send(order);
 * permit.acknowledged();
 * ```
 *
 * A permit that is disposed of without a word leaves the outcome unknown, for {@link ShutdownGate.resolve}: code that was cut
 * short has not shown that nothing was sent. One that is never disposed of holds every drain until its timeout.
 */
export class OrderSubmissionGuard implements Disposable {
  readonly #door: OrderDoor;
  readonly #submission: Submission;
  #isOver = false;

  /** Throws {@link OrderRefusedError} where the order may not be sent, and `ConfigurationError` for an option that cannot hold. */
  constructor(permissions: readonly Permission[], label: string, options: OrderSubmissionGuardOptions = {}) {
    const { intent = 'increase', proof, exitPermit, ...door } = options;
    checkDoorOptions({ ...door, permissions });
    this.#door = new OrderDoor({ ...door, permissions });
    const admission = this.#door.admit({ label: labelText(label), intent, proof: () => proof, exitPermit });
    if (!admission.ok) throw new OrderRefusedError(admission);
    this.#submission = admission;
    this.#door.tellAdmitted(admission);
  }

  get entryId(): number {
    return this.#submission.entry.entryId;
  }

  /** The venue took the order. */
  acknowledged(value?: unknown): void {
    if (this.#end('acknowledged')) this.#door.tellSettled(this.#submission, { outcome: 'acknowledged', value });
  }

  /** It failed: unknown, unless the error itself says that the venue surely did not take the order (code `broker_rejected`). */
  unknown(error?: unknown): void {
    const outcome = defaultOutcomeOf(error);
    if (this.#end(outcome)) this.#door.tellSettled(this.#submission, { outcome, error });
  }

  /** It surely was not sent. */
  refused(error?: unknown): void {
    if (this.#end('refused')) this.#door.tellSettled(this.#submission, { outcome: 'refused', error });
  }

  [Symbol.dispose](): void {
    this.unknown(undefined);
  }

  // Only the first word counts.
  #end(outcome: SubmissionOutcome): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#door.settle(this.#submission, outcome);
    return true;
  }
}
