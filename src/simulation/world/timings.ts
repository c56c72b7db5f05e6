/** How fast the roles of a world beat and how long their leases last. */
import { LEASE_TTL_MS } from '../../messages/holder.js';
import { PEER_BEAT_MS } from '../../messages/peerBeat.js';
import { DEFAULT_DECIDE_MS } from '../../roles/scale.js';
import { PEER_LIVENESS_MS } from '../../tradingLease/options.js';
import type { WorldSetup } from './setup.js';

export interface WorldTimings {
  /** Of watchdog and exit worker. */
  readonly peerBeatMs: number;
  readonly peerLivenessMs: number;
  readonly leaseTtlMs: number;
  /** Between two evaluations of the exit brain. */
  readonly decideMs: number;
}

/** At pace 1 every figure is the default of its part. */
export function timingsOf({ pace }: Pick<WorldSetup, 'pace'>): WorldTimings {
  return {
    peerBeatMs: PEER_BEAT_MS * pace,
    peerLivenessMs: PEER_LIVENESS_MS * pace,
    leaseTtlMs: LEASE_TTL_MS * pace,
    decideMs: DEFAULT_DECIDE_MS * Math.min(pace, 4),
  };
}
