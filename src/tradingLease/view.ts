/** What a lease knows at its start: the plain fields that its renewals change, over the peers that are seen. */
import type { HostIdentity } from '../host.js';
import type { LeaseObservation } from './decideLease.js';
import type { Peers } from './peers.js';

type OfPeers = Pick<LeaseObservation, 'watchdogs' | 'workers'>;
export type Own = Omit<LeaseObservation, keyof OfPeers>;

/** Nothing is known yet but who watches, which is looked up whenever it is asked. */
export function viewOf(self: HostIdentity, peers: Peers): LeaseObservation {
  return {
    self,
    closed: false,
    registered: false,
    attestedEpoch: undefined,
    state: undefined,
    stateProvedMs: undefined,
    doubt: undefined,
    grant: undefined,
    get watchdogs() {
      return peers.watchdogs;
    },
    get workers() {
      return peers.workers;
    },
  };
}
