/** What an exit writes down and asks before it acts: on the bus for a worker, in memory for a direct exit without a bus. */
import type { CloseAttempt } from '../messages/closeAttempt.js';
import type { LegKey } from './book.js';
import type { InheritedAttempt } from './legs.js';
import type { DrainView } from './plan.js';

export interface InheritedAttempts {
  readonly attempts: readonly InheritedAttempt[];
  /** What stands among them, or may, and cannot be understood. */
  readonly unreadable: readonly string[];
}

export interface ExitLedger {
  /** Attempts that predecessors wrote down, the latest of each position last. */
  inherited(): Promise<InheritedAttempts>;
  /** Others may have sent closes under the same ids that they could not write down. */
  readonly mayBeRepeating: boolean;
  /** Rises by one with each change of hands: the turn after ours is another's, or ours again with nobody in between. Absent: nobody counts. */
  readonly turn?: number;
  /** Writes a close down before it is sent. False: it is not sure that a successor would find it. */
  recordAttempt(attempt: { readonly key: LegKey } & AttemptNote): Promise<boolean>;
  /** True while no other worker can have taken over: asked synchronously before each send. */
  mayAct(): boolean;
  /** The exit is at work, or waits for a bounded call of a venue that is not out of reach: the claim may be renewed. */
  progressed(): void;
  /** What is known now about halt, horizon and holders. */
  drain(): DrainView;
  /** One transition for the record. */
  note(event: string, cause: string, details: Readonly<Record<string, unknown>>): void;
  /** First part of every client order id of this incident. */
  readonly orderPrefix: string;
}

export type AttemptNote = Pick<CloseAttempt, 'symbol' | 'positionSide' | 'side' | 'quantity' | 'attempt' | 'clientOrderId'>;
