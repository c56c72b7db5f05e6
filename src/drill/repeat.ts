/** Makes every run that is asked for, whatever befalls the rig in one of them. */
import { ConfigurationError, messageOf } from '../errors.js';
import type { RunError } from './document.js';
import type { RunResult } from './run.js';

export interface Runs {
  readonly runs: readonly RunResult[];
  readonly errors: readonly RunError[];
}

/** Ends early when the signal aborts. Throws what `runOnce` throws only where no later run could do better: {@link ConfigurationError}. */
export async function repeat(
  count: number,
  runOnce: (run: number) => Promise<RunResult>,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: RunError) => void },
): Promise<Runs> {
  const runs: RunResult[] = [];
  const errors: RunError[] = [];
  for (let run = 1; run <= count && !signal.aborted; run++) {
    try {
      runs.push(await runOnce(run));
    } catch (error) {
      if (error instanceof ConfigurationError) throw error;
      if (signal.aborted) break;
      const failed = { run, error: messageOf(error) };
      errors.push(failed);
      onError(failed);
    }
  }
  return { runs, errors };
}
