/** While a run goes on, a rejection that nobody handles is the run's: in a process of its own it would have ended that process. */

export interface RejectionTrap {
  /** Lets through what has not been told of yet, and gives everybody else their listeners back. */
  remove(): Promise<void>;
}

/** `mine` says whether it takes the error; every other one goes to those who listened before. */
export function trapRejections(mine: (error: unknown) => boolean): RejectionTrap {
  const before = process.listeners('unhandledRejection');
  const listen = (error: unknown, promise: Promise<unknown>): void => {
    if (mine(error)) return;
    if (before.length === 0) throw error;
    for (const other of before) other.call(process, error, promise);
  };
  for (const other of before) process.off('unhandledRejection', other);
  process.on('unhandledRejection', listen);
  return {
    remove: async () => {
      // Rejections are told of after the microtasks of a macrotask.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      process.off('unhandledRejection', listen);
      for (const other of before) process.on('unhandledRejection', other);
    },
  };
}
