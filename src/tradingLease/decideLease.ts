/** Decides whether a holder may add risk, and whether a renewing read renews its lease. */
import type { HostIdentity } from '../host.js';
import type { PeerBeat } from '../messages/peerBeat.js';
import type { Halt, TradingState } from '../messages/tradingState.js';
import type { Sighting } from '../tradingState/sightings.js';
import type { LeaseConfig } from './options.js';

/** A renewal: it permits orders from when its read was sent, until `untilMs`. */
export interface Grant {
  readonly epoch: number;
  readonly sentMs: number;
  /** The wall clock at `sentMs`. A monotonic clock stands still in a suspended host; together they show it. */
  readonly wallMs: number;
  readonly untilMs: number;
}

export interface LeaseObservation {
  readonly self: HostIdentity;
  readonly closed: boolean;
  /** Registered on this bus, and read back. */
  readonly registered: boolean;
  /** The epoch that this holder has attested on this bus. */
  readonly attestedEpoch: number | undefined;
  /** The newest state that was read. */
  readonly state: TradingState | undefined;
  /** When the last renewing read that brought the state was sent. */
  readonly stateProvedMs: number | undefined;
  /** Why the state cannot be trusted: unreadable, or the bus has forgotten something. */
  readonly doubt: string | undefined;
  /** The last grant, also after it has lapsed. */
  readonly grant: Grant | undefined;
  readonly watchdogs: readonly Sighting<PeerBeat>[];
  readonly workers: readonly Sighting<PeerBeat>[];
}

type PeerConfig = Pick<LeaseConfig, 'account' | 'peerLivenessMs' | 'workerBookAgeMaxMs' | 'require' | 'peersOn'>;
export type DecisionConfig = PeerConfig & Pick<LeaseConfig, 'suspendMaxMs'>;

export type LeaseDecision =
  | { readonly kind: 'held'; readonly untilMs: number }
  /** Lapsed: it may return by itself until `overdue`. */
  | { readonly kind: 'suspended'; readonly sinceMs: number; readonly overdue: boolean; readonly why: string }
  | { readonly kind: 'halted'; readonly why: string; readonly sinceWallMs: number; readonly halts: readonly Halt[] }
  | { readonly kind: 'reducing'; readonly why: string; readonly sinceWallMs: number }
  | { readonly kind: 'missing'; readonly why: string };

const sameProcess = (left: HostIdentity, right: HostIdentity): boolean =>
  left.host === right.host && left.bootId === right.bootId && left.pid === right.pid;

function apart(peer: HostIdentity, self: HostIdentity, place: PeerConfig['peersOn']): boolean {
  return place === 'other-host' ? peer.host !== self.host : !sameProcess(peer, self);
}

function alive(sightings: readonly Sighting<PeerBeat>[], nowMs: number, config: PeerConfig): readonly PeerBeat[] {
  return sightings
    .filter(({ lastAdvanceMs }) => lastAdvanceMs !== undefined && nowMs - lastAdvanceMs <= config.peerLivenessMs)
    .map(({ value }) => value);
}

function ableWorker({ worker }: PeerBeat, config: PeerConfig): boolean {
  return (
    worker !== undefined &&
    worker.account === config.account &&
    worker.identityMatches &&
    worker.bookAgeMs !== undefined &&
    worker.bookAgeMs <= config.workerBookAgeMaxMs
  );
}

/** Why those who must watch do not: undefined when they do. */
export function peerRefusal(observation: LeaseObservation, nowMs: number, config: PeerConfig): string | undefined {
  const counts = (peer: PeerBeat): boolean => apart(peer, observation.self, config.peersOn);
  const watchdogs = alive(observation.watchdogs, nowMs, config);
  const workers = alive(observation.workers, nowMs, config);
  const otherWatchdogs = watchdogs.filter(counts);
  const ableWorkers = workers.filter((peer) => ableWorker(peer, config));
  const otherWorkers = ableWorkers.filter(counts);
  if (config.require.includes('watchdog')) {
    if (watchdogs.length === 0) return 'no watchdog is alive';
    if (otherWatchdogs.length === 0) return `no watchdog runs on its own (${config.peersOn})`;
  }
  if (config.require.includes('exit-worker')) {
    if (workers.length === 0) return 'no exit worker is alive';
    if (ableWorkers.length === 0) return `no exit worker is able to close ${config.account}: wrong account, wrong venue or no fresh book`;
    if (otherWorkers.length === 0) return `no exit worker runs on its own (${config.peersOn})`;
  }
  if (config.require.length < 2) return undefined;
  if (otherWatchdogs.some((watchdog) => otherWorkers.some((worker) => !sameProcess(watchdog, worker)))) return undefined;
  return 'watchdog and exit worker are one process, and count as one';
}

function stateRefusal({ state, doubt }: LeaseObservation): Exclude<LeaseDecision, { kind: 'held' | 'suspended' }> | undefined {
  const halts = state?.halts ?? [];
  if (doubt !== undefined) return { kind: 'halted', why: doubt, sinceWallMs: state?.changedWallMs ?? 0, halts };
  if (state === undefined) return { kind: 'missing', why: 'the trading state has not been read yet' };
  const sinceWallMs = state.changedWallMs;
  if (state.mode === 'HALTED') {
    const first = halts[0];
    const why = first === undefined ? 'trading was never armed' : `${first.by}: ${first.reason}`;
    return { kind: 'halted', why, sinceWallMs: first?.sinceWallMs ?? sinceWallMs, halts };
  }
  // Anything but ACTIVE, also a mode that this version does not know, adds no risk.
  if (state.mode !== 'ACTIVE') return { kind: 'reducing', why: `trading is ${state.mode}, set by ${state.changedBy}`, sinceWallMs };
  return undefined;
}

function overdue(observation: LeaseObservation, nowMs: number, suspendMaxMs: number): boolean {
  const { grant, state } = observation;
  return grant !== undefined && grant.epoch === state?.epoch && nowMs - grant.untilMs > suspendMaxMs;
}

/** Why a read that was just answered does not renew the lease: undefined when it does. */
export function renewalRefusal(observation: LeaseObservation, nowMs: number, config: DecisionConfig): string | undefined {
  if (observation.closed) return 'the lease is closed';
  const refused = stateRefusal(observation);
  if (refused !== undefined) return refused.why;
  if (!observation.registered) return 'this holder is not registered yet';
  if (observation.attestedEpoch !== observation.state?.epoch) return `epoch ${observation.state?.epoch} is not attested yet`;
  if (overdue(observation, nowMs, config.suspendMaxMs))
    return `suspended for longer than ${config.suspendMaxMs} ms: a person must arm again`;
  return peerRefusal(observation, nowMs, config);
}

function grantOfEpoch({ grant, state }: LeaseObservation): Grant | undefined {
  return grant?.epoch === state?.epoch ? grant : undefined;
}

/** The grant that permits orders while its time runs: undefined while nothing does, whatever the time. */
export function standingGrant(observation: LeaseObservation): Grant | undefined {
  return observation.closed || stateRefusal(observation) !== undefined ? undefined : grantOfEpoch(observation);
}

/** Written so that NaN, and a reading from before the renewal was sent, permit nothing. */
export function runsAt({ sentMs, untilMs }: Grant, nowMs: number): boolean {
  return nowMs >= sentMs && nowMs < untilMs;
}

/** What the lease is worth at `nowMs`, from what was observed alone. */
export function decideLease(observation: LeaseObservation, nowMs: number, config: DecisionConfig): LeaseDecision {
  if (observation.closed) return { kind: 'missing', why: 'the lease is closed' };
  const refused = stateRefusal(observation);
  if (refused !== undefined) return refused;
  const grant = grantOfEpoch(observation);
  if (grant === undefined) return { kind: 'missing', why: renewalRefusal(observation, nowMs, config) ?? 'no renewal yet' };
  if (runsAt(grant, nowMs)) return { kind: 'held', untilMs: grant.untilMs };
  return {
    kind: 'suspended',
    sinceMs: grant.untilMs,
    overdue: overdue(observation, nowMs, config.suspendMaxMs),
    why: renewalRefusal(observation, nowMs, config) ?? 'the last renewal has lapsed',
  };
}

/**
 * Why an exit may be under way without this holder knowing, or its worker without knowing of this holder: undefined when
 * neither can be. An exit worker waits for registered holders, and no longer than a lease for those that lost contact.
 */
export function exitDoubt(observation: LeaseObservation, nowMs: number, ttlMs: number): string | undefined {
  const { state, doubt, registered, attestedEpoch, stateProvedMs } = observation;
  if (doubt !== undefined) return doubt;
  if (state === undefined || stateProvedMs === undefined) return 'the trading state has not been read yet';
  if (!registered || attestedEpoch !== state.epoch) return `this holder is not registered for epoch ${state.epoch} yet`;
  // Written so that NaN, and a reading from before the read was sent, prove nothing.
  if (nowMs >= stateProvedMs && nowMs < stateProvedMs + ttlMs) return undefined;
  return `the trading state was last read ${Math.round(nowMs - stateProvedMs)} ms ago`;
}
