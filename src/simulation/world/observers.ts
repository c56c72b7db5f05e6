/** Listeners, loggers and alert sinks of a simulated world: quiet ones, or such as a promise says that they may be. */
import type { Alert, AlertSink } from '../../alert/alert.js';
import { type Logger, silentLogger } from '../../logger.js';

/** Thrown and rejected with by observers alone: wherever it turns up, one of them has reached further than it may. */
export class ObserverError extends Error {}

export interface Observers {
  readonly logger: Logger;
  /** Stands for any listener, metric or hook that is told of something. */
  readonly listen: () => unknown;
  /** Keeps what it was sent, and then does what its kind does. */
  readonly alerts: (keep: (alert: Alert) => void) => AlertSink;
}

const QUIET: Observers = {
  logger: silentLogger,
  listen: () => undefined,
  alerts: (keep) => ({ send: async (alert) => keep(alert) }),
};

/** By turns they throw, reject, and never settle. */
function hostile(): Observers {
  let calls = 0;
  const misbehave = (): Promise<never> => {
    calls += 1;
    if (calls % 3 === 0) throw new ObserverError('an observer threw');
    return calls % 3 === 1 ? Promise.reject(new ObserverError('an observer rejected')) : new Promise(() => undefined);
  };
  const observe = (): unknown => misbehave();
  return {
    logger: { debug: observe, info: observe, warn: observe, error: observe },
    listen: observe,
    alerts: (keep) => ({
      send: (alert) => {
        keep(alert);
        return misbehave();
      },
    }),
  };
}

export function observersOf(areHostile: boolean): Observers {
  return areHostile ? hostile() : QUIET;
}
