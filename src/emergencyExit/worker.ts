/** An emergency exit worker as it is asked for. What it works with is loaded when it begins to work: the root import stays light. */
import { checkWorkerOptions, type ExitWorker, type ExitWorkerOptions } from './workerOptions.js';

/** Throws {@link ConfigurationError} for options that cannot hold. */
export function createExitWorker(options: ExitWorkerOptions): ExitWorker {
  const checked = checkWorkerOptions(options);
  return {
    workerId: checked.workerId,
    run: async (signal) => {
      const { assembleExitWorker } = await import('./workerRun.js');
      await assembleExitWorker(checked).run(signal);
    },
  };
}
