/** A recorded history: what each client asked for, when it began and ended, and what it was told. Plain values, in any order. */

/** `ok`: it took place. `fail`: it did not, for sure. `info`: nobody knows; it may take place at any later moment, or never. */
export type OperationOutcome = 'ok' | 'fail' | 'info';

interface Operation {
  readonly client: string;
  /** On the one monotonic clock of the host. */
  readonly invokedMs: number;
  readonly endedMs: number;
  readonly outcome: OperationOutcome;
}

/** Adds one halt to the register. */
export interface HaltOperation extends Operation {
  readonly kind: 'halt';
  readonly haltId: string;
}

/** Clears these halts, and then lets trading begin again: two steps, one after the other. */
export interface RearmOperation extends Operation {
  readonly kind: 'rearm';
  readonly clears: readonly string[];
}

export interface ReadOperation extends Operation {
  readonly kind: 'read';
  /** What was read; undefined unless it is `ok`. A reader that refuses to believe what it reads has failed. */
  readonly value: RegisterValue | undefined;
}

export interface RegisterValue {
  /** Whether trading is allowed. */
  readonly active: boolean;
  readonly halts: readonly string[];
}

export type RegisterOperation = HaltOperation | RearmOperation | ReadOperation;

export interface PanicOperation extends Operation {
  readonly kind: 'panic';
  readonly eventId: string;
}

/** One order at the door of a strategy. */
export interface OrderOperation {
  readonly strategy: string;
  readonly atMs: number;
  readonly result: 'admitted' | 'refused';
  /** The refusal's code. */
  readonly code?: string;
}

/** When it surely had its effect, if it had one: nobody knows of one that was never answered. */
export const surelyBy = ({ outcome, endedMs }: Pick<Operation, 'outcome' | 'endedMs'>): number => (outcome === 'info' ? Infinity : endedMs);
