/** A place for a log, and a venue that answers queries and no more, as reconciliation asks them. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Broker, Query } from '../../../src/broker/broker.js';
import { fastTemporaryDirectory } from '../../support/temporaryDirectory.js';

export interface Place {
  readonly place: string;
  /** Where a log is to be: not made yet. */
  readonly directory: string;
}

/** For each test of the file a place of its own, which is removed after it. Read it while a test runs. */
export function inPlace(): Place {
  let place = '';
  beforeEach(() => {
    place = fastTemporaryDirectory();
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));
  return {
    get place() {
      return place;
    },
    get directory() {
      return join(place, 'log');
    },
  };
}

/** A venue that knows some ids. */
export function venueWith(ids: readonly string[], capabilities: object = {}): Broker {
  const known: Partial<Broker> = {
    orderByClientId: async (_symbol, id): Promise<Query> =>
      ids.includes(id) ? { found: true, report: { orderId: id, status: 'filled', filledQuantity: 1 } } : { found: false },
    capabilities: async () => ({
      reduceOnly: 'enforced',
      clientOrderIds: 'forever',
      readLagMs: 50,
      minQuantity: () => 1,
      ...capabilities,
    }),
  };
  return known as Broker;
}
