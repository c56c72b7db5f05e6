/** Options of the trading lease, their defaults and bounds. */
import type { Bus } from '../bus/bus.js';
import { checkDurationMs, checkName, checkOneOf } from '../checks.js';
import { type Clock, systemClock, WALL_DIVERGENCE_MS } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import { type HostIdentity, hostIdentity } from '../host.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { BROKER_TIMEOUT_MS, LEASE_TTL_MS } from '../messages/holder.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import { BOOK_AGE_MAX_MS } from '../messages/peerBeat.js';
import type { InFlightView } from '../permission.js';
import { type Random, systemRandom } from '../random.js';

export const PEER_LIVENESS_MS = 500;
export const SUSPEND_MAX_MS = 10_000;
export const DRAIN_POLL_MS = 50;
/** Beyond the broker timeout: for a settled call to be noticed. */
const CLOSE_GRACE_MS = 500;

export const LEASE_PEERS = ['watchdog', 'exit-worker'] as const;
export type LeasePeer = (typeof LEASE_PEERS)[number];

/** Where peers must run to count: a peer that dies together with the holder watches nobody. */
export const PEER_PLACES = ['other-process', 'other-host'] as const;
export type PeerPlace = (typeof PEER_PLACES)[number];

export interface TradingLeaseOptions {
  readonly bus: Bus;
  /** Default `default`. */
  readonly account?: string;
  /** What is under way at the order door. Without it this holder never reports drained, and no exit can call the book flat for sure. */
  readonly inflight?: InFlightView;
  /** When the broker client's own call surely settles. Default 5,000 ms, or as long as a guard of `inflight` says; no less than that. */
  readonly brokerTimeoutMs?: number;
  /** How long a renewal permits orders, from when its read was sent. Must be above `peerLivenessMs`. Default 750 ms. */
  readonly ttlMs?: number;
  /** A peer whose sequence has not advanced for this long counts as dead. Default 500 ms; peers beat every quarter of it. */
  readonly peerLivenessMs?: number;
  /** A lapsed lease returns by itself within this time only; after it a halt is written. Default 10,000 ms. */
  readonly suspendMaxMs?: number;
  /** An exit worker whose venue's book is older does not count. Default 10,000 ms. */
  readonly workerBookAgeMaxMs?: number;
  /** How far wall and monotonic clock may drift apart between renewals. Default 250 ms. */
  readonly wallDivergenceMs?: number;
  /** Who must be alive. Default: both. */
  readonly require?: readonly LeasePeer[];
  /** Default `other-process`. */
  readonly peersOn?: PeerPlace;
  /** The venue itself refuses to let a reducing order flip a position: then reductions pass while an exit is under way. Default false. */
  readonly venueEnforcesReduceOnly?: boolean;
  /** How often a stopped holder looks whether its orders have settled. Default 50 ms. */
  readonly drainPollMs?: number;
  /** How long `close()` waits for orders in flight. Default `brokerTimeoutMs` + 500 ms. */
  readonly closeTimeoutMs?: number;
  /** Default: a new identifier. */
  readonly holderId?: string;
  /** Which process this is: peers in the same one do not count. Default: what the operating system says. */
  readonly self?: HostIdentity;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly random?: Random;
}

export type LeaseConfig = Required<Omit<TradingLeaseOptions, 'inflight'>> & { readonly inflight: InFlightView | undefined };

function longestGuardedMs({ inflight }: TradingLeaseOptions): number {
  try {
    const longestMs = inflight?.longestBrokerTimeoutMs?.();
    return longestMs !== undefined && Number.isFinite(longestMs) ? longestMs : 0;
  } catch {
    // A view that throws says nothing.
    return 0;
  }
}

// The exit worker waits for what is registered: a call that may take longer could fill behind its back.
function registeredTimeoutMs(options: TradingLeaseOptions): number {
  const longestMs = longestGuardedMs(options);
  const givenMs = options.brokerTimeoutMs ?? Math.max(BROKER_TIMEOUT_MS, longestMs);
  const brokerTimeoutMs = checkDurationMs('brokerTimeoutMs', givenMs, { min: 1, max: 600_000 });
  if (brokerTimeoutMs >= longestMs) return brokerTimeoutMs;
  const bound = `must be at least ${longestMs}: so long may a call take that a guard of the same gate has begun`;
  throw new ConfigurationError('brokerTimeoutMs', brokerTimeoutMs, bound);
}

/** Throws ConfigurationError naming field, value and bound. */
export function leaseConfig(options: TradingLeaseOptions): LeaseConfig {
  const random = options.random ?? systemRandom;
  const peerLivenessMs = checkDurationMs('peerLivenessMs', options.peerLivenessMs ?? PEER_LIVENESS_MS, { min: 1 });
  const ttlMs = checkDurationMs('ttlMs', options.ttlMs ?? LEASE_TTL_MS, { min: 1 });
  if (ttlMs <= peerLivenessMs) throw new ConfigurationError('ttlMs', ttlMs, `must be above peerLivenessMs (${peerLivenessMs})`);
  const brokerTimeoutMs = registeredTimeoutMs(options);
  const require = options.require ?? LEASE_PEERS;
  if (!Array.isArray(require) || require.length === 0) throw new ConfigurationError('require', require, 'must name at least one peer');
  return {
    bus: options.bus,
    account: checkName('account', options.account ?? DEFAULT_ACCOUNT),
    inflight: options.inflight,
    brokerTimeoutMs,
    ttlMs,
    peerLivenessMs,
    suspendMaxMs: checkDurationMs('suspendMaxMs', options.suspendMaxMs ?? SUSPEND_MAX_MS, { min: ttlMs, max: 60_000 }),
    workerBookAgeMaxMs: checkDurationMs('workerBookAgeMaxMs', options.workerBookAgeMaxMs ?? BOOK_AGE_MAX_MS, {
      min: 1,
      max: 60_000,
    }),
    wallDivergenceMs: checkDurationMs('wallDivergenceMs', options.wallDivergenceMs ?? WALL_DIVERGENCE_MS, { min: 1, max: 10_000 }),
    require: require.map((peer) => checkOneOf('require', peer, LEASE_PEERS)),
    peersOn: checkOneOf('peersOn', options.peersOn ?? 'other-process', PEER_PLACES),
    venueEnforcesReduceOnly: options.venueEnforcesReduceOnly === true,
    drainPollMs: checkDurationMs('drainPollMs', options.drainPollMs ?? DRAIN_POLL_MS, { min: 1, max: 10_000 }),
    closeTimeoutMs: checkDurationMs('closeTimeoutMs', options.closeTimeoutMs ?? brokerTimeoutMs + CLOSE_GRACE_MS),
    holderId: checkName('holderId', options.holderId ?? random.id()),
    self: options.self ?? hostIdentity(),
    clock: options.clock ?? systemClock,
    logger: isolatedLogger(options.logger),
    random,
  };
}
