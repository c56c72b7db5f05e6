/** What every role has in common: what it is given, what it says when it is ready, and how its bus is opened and closed. */
import type { Broker } from '../broker/broker.js';
import type { Bus } from '../bus/bus.js';
import { openBus } from '../bus/openBus.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Random } from '../random.js';

export type RoleName = 'exit-brain' | 'watchdog' | 'exit-worker' | 'venue';

/** Said once, when the role has opened what it needs and begins to work. */
export interface RoleReady {
  readonly ready: RoleName;
  readonly id: string;
  readonly pid: number;
  /** The bus as people know it; a venue has none. */
  readonly bus?: string;
  /** Where a venue listens. */
  readonly url?: string;
}

/** Where a composition other than production's may reach in. Production passes none. */
export interface BusSeams {
  readonly wrapBus?: (bus: Bus) => Bus;
  /** For the part itself; the role keeps its own. */
  readonly clock?: Clock;
}

export interface BrokerSeams {
  readonly wrapBroker?: (broker: Broker) => Broker;
}

export interface RoleDeps<S = never> {
  /** The role works until it aborts, then ends in order. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
  readonly onReady?: (ready: RoleReady) => void;
  readonly seams?: S;
}

/** Opens the bus for as long as `work` takes. Throws what {@link openBus} throws. */
export async function withBus(
  url: string,
  { clock, logger, random, seams }: Pick<RoleDeps<BusSeams>, 'clock' | 'logger' | 'random' | 'seams'>,
  work: (bus: Bus) => Promise<void>,
): Promise<void> {
  const opened = await openBus(url, { clock: seams?.clock ?? clock, logger, ...(random === undefined ? {} : { random }) });
  try {
    await work(seams?.wrapBus?.(opened) ?? opened);
  } finally {
    await opened.close();
  }
}

/** Closes the broker after `work`, whatever came of it. */
export async function withBroker(broker: Broker, logger: Logger, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    try {
      await broker.close();
    } catch (error) {
      // The work is done or has failed for a better reason than this one.
      logger.warn({ error: messageOf(error) }, 'the broker did not close in order');
    }
  }
}

export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
