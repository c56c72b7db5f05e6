/** The name of a bus: given once, and kept with its data. Client order ids are made of it. */
import { type Bus, BusUnavailableError } from '../bus/bus.js';
import type { Random } from '../random.js';

const BUS_NAME = 'failflat:bus';
const TRIES = 3;

/**
 * The same before and behind a failover or a restart, and another one when a bus is set up anew. Gives the bus its name where it has
 * none yet. Throws {@link BusUnavailableError} where it is not sure.
 */
export async function readBusName(bus: Pick<Bus, 'latch'>, random: Random): Promise<string> {
  const latch = bus.latch(BUS_NAME);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { version, fields } = await latch.get();
    if (version > 0) return fields['name'] ?? '';
    const set = await latch.compareAndSet(0, { name: random.id() });
    if (set.outcome === 'refused' || set.outcome === 'unknown') throw new BusUnavailableError(`the bus has no name yet: ${set.detail}`);
    // What one master alone holds could be given again by the next one.
    if (set.outcome === 'committed' && set.unreplicated !== undefined)
      throw new BusUnavailableError(`the bus has no name yet: ${set.unreplicated}`);
  }
  throw new BusUnavailableError('the bus has no name yet: others keep giving it one');
}
