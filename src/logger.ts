/** A pino-compatible logger port, and the isolation that keeps observers from changing results. */

/** What was thrown stands as `err`: pino writes the words of an error under that name alone, and nothing under any other. */
export interface Logger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Calls an observer (listener, logger, metric) so that nothing it does reaches the caller: a throw is dropped, and so is
 * the rejection of an async observer. A safety path must not depend on who watches it.
 */
export function isolated<A extends unknown[]>(observer: ((...args: A) => unknown) | undefined, ...args: A): void {
  if (observer === undefined) return;
  try {
    const result = observer(...args);
    if (result instanceof Promise) result.catch(() => undefined);
  } catch {
    // Dropped on purpose: see above.
  }
}

/** Tells those who listen now, each on its own. One that is added meanwhile hears of the next event: else one that adds another each time would be told for ever. */
export function tellAll<A extends unknown[]>(listeners: Iterable<(...args: A) => unknown>, ...args: A): void {
  for (const listener of [...listeners]) isolated(listener, ...args);
}

/** A logger whose failures stay its own. */
export function isolatedLogger(logger: Logger = silentLogger): Logger {
  return {
    debug: (details, message) => isolated(() => logger.debug(details, message)),
    info: (details, message) => isolated(() => logger.info(details, message)),
    warn: (details, message) => isolated(() => logger.warn(details, message)),
    error: (details, message) => isolated(() => logger.error(details, message)),
  };
}
