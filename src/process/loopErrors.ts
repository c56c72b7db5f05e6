/** What becomes of a loop in which something was thrown. */
import { isFailflatError } from '../errors.js';
import { isRefusalCode } from '../shutdownGate/door.js';

/**
 * `shutdown`: the loop ends, and the shutdown is requested. `reject`: the loop alone ends. `continue`: the next item or the next
 * tick is taken up; a loop that has no next one, or whose source has failed, ends in a shutdown.
 */
export type LoopErrorVerdict = 'shutdown' | 'reject' | 'continue';

export type OnLoopError = LoopErrorVerdict | ((error: unknown) => LoopErrorVerdict);

export const LOOP_ERROR_VERDICTS: readonly LoopErrorVerdict[] = ['shutdown', 'reject', 'continue'];

/** A refused order was not sent, so its loop may go on to the next one; anything else leaves a doubt. */
export function defaultVerdict(error: unknown): LoopErrorVerdict {
  return isFailflatError(error) && isRefusalCode(error.code) ? 'continue' : 'shutdown';
}

/** `mayContinue`: there is a next item or tick. */
export function verdictOf(onError: OnLoopError, error: unknown, mayContinue: boolean): LoopErrorVerdict {
  let verdict: unknown;
  try {
    verdict = typeof onError === 'function' ? onError(error) : onError;
  } catch {
    // A judge that fails has not shown that anything may go on.
  }
  if (verdict === 'continue') return mayContinue ? 'continue' : 'shutdown';
  return verdict === 'reject' ? 'reject' : 'shutdown';
}

/** True for what a loop throws because it was told to end: the abort itself, or an order that came after the gate was shut. */
export function isEndByShutdown(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  if (error === signal.reason) return true;
  if (isFailflatError(error)) return error.code === 'shutdown_requested';
  return error instanceof Error && error.name === 'AbortError';
}
