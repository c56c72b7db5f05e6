/** What `requireOff` throws. */
import { FailflatError } from '../errors.js';

/** The kill switch is on, or nobody can tell: the operation must not begin. */
export class ExecutionHaltedError extends FailflatError {
  /** What was about to be done. */
  readonly operation: string;
  /** What halts: `env:EXECUTION_HALTED`, `file:/etc/…`, `bus:…`, `function:…`. */
  readonly source: string;
  /** Why, in words for an operator. */
  readonly reason: string;

  constructor(operation: string, halting: { readonly source: string; readonly reason: string }) {
    super('kill_switch_enabled', `${operation}: halted by the kill switch: ${halting.reason}`);
    this.operation = operation;
    this.source = halting.source;
    this.reason = halting.reason;
  }
}
