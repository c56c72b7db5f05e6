/** The last resort of an operator, and of a worker that has lost its bus: an account is closed with no bus at all. */
import type { DirectExitOptions, DirectExitResult } from './directRun.js';

export type { DirectExitOptions, DirectExitResult };

/**
 * Cancels and closes until the book is empty, or the deadline has passed: `market_closed` and `operator_needed` may still come right
 * before that, and are the verdict if they do not.
 * Throws {@link FailflatError} `broker_unavailable` when the venue does not name the account.
 */
export async function directExit(options: DirectExitOptions): Promise<DirectExitResult> {
  // Nothing but an exit needs it, and whoever has it at hand all the time pays for it at every start.
  const { runDirectExit } = await import('./directRun.js');
  return runDirectExit(options);
}
