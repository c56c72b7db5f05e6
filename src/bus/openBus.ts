/** Opens the bus that a URL names. Adapters are loaded only when a URL asks for them. */
import type { Clock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Random } from '../random.js';
import type { Bus } from './bus.js';
import type { MemoryBus } from './memory.js';
import { withoutSecrets } from './withoutSecrets.js';

export interface OpenBusOptions {
  /** Default: the system's clocks. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the system's generator. */
  readonly random?: Random;
}

const BOUND = 'must be journal:<directory>, redis://…, rediss://…, redis+sentinel://…, redis+cluster://… or memory:<name>';

const memoryBuses = new Map<string, MemoryBus>();

/**
 * Opens `journal:<directory>` (made where it is missing), a Redis URL (stand-alone, Sentinel or Cluster), or `memory:<name>`
 * (one for each name in this process; its clock is that of its first opener).
 *
 * Throws ConfigurationError (field `bus`) for a URL that it cannot read, and BusUnsuitableError where no bus can be kept.
 */
export async function openBus(url: string, options: OpenBusOptions = {}): Promise<Bus> {
  const match = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(typeof url === 'string' ? url : '');
  const [, scheme, rest = ''] = match ?? [];
  if (scheme === 'journal') {
    const directory = rest.trim();
    if (directory === '' || directory.includes('\0'))
      throw new ConfigurationError('bus', url, 'must name a directory: journal:<directory>');
    const { openJournal } = await import('./journal/openJournal.js');
    return openJournal(directory, options);
  }
  if (scheme !== undefined && /^rediss?(\+(sentinel|cluster))?$/.test(scheme)) {
    const { openRedis } = await import('./redis/openRedis.js');
    return openRedis(url, options);
  }
  if (scheme === 'memory') return openMemory(rest, options);
  throw new ConfigurationError('bus', typeof url === 'string' ? withoutSecrets(url) : url, BOUND);
}

async function openMemory(name: string, options: OpenBusOptions): Promise<Bus> {
  const { createMemoryBus } = await import('./memory.js');
  let bus = memoryBuses.get(name);
  if (bus === undefined) {
    bus = createMemoryBus(options);
    memoryBuses.set(name, bus);
  }
  return bus.handle();
}
