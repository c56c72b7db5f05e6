/** A venue that answers queries, and no more, as reconciliation asks them. */
import type { Broker, Query } from '../../../src/broker/broker.js';

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
