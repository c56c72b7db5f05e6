/** One document about everything an operator asks first: may we trade, who is at work, what is open. */
import { type Bus, BusDoubtError } from '../bus/bus.js';
import { systemClock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Completion, Escalation } from '../messages/completion.js';
import type { BrainBeat } from '../messages/heartbeat.js';
import type { HolderReport } from '../messages/holder.js';
import type { PeerBeat } from '../messages/peerBeat.js';
import type { TradingState } from '../messages/tradingState.js';
import { observeFleet } from './fleet.js';
import { readHolders } from './holders.js';
import { type OpenIncident, openIncidents, readExitRecord } from './incidents.js';
import { OBSERVE_MS, type StateDeps } from './options.js';
import { readTradingState } from './read.js';
import type { Sighting } from './sightings.js';

export interface PeerStatus<T> {
  readonly name: string;
  readonly beat: T;
  /** Since it was last seen, on this reader's clock. */
  readonly ageMs: number;
  /** Its sequence (a brain's decision sequence) advanced while it was observed. */
  readonly progress: boolean;
}

export interface SystemStatus {
  readonly bus: string;
  readonly observedMs: number;
  /** Undefined: it cannot be understood, which means HALTED. `problem` says why. */
  readonly state: TradingState | undefined;
  readonly problem: string | undefined;
  readonly version: number | undefined;
  readonly brains: readonly PeerStatus<BrainBeat>[];
  /** Expected since trading was armed, and not seen while observed. */
  readonly missingServices: readonly string[];
  readonly watchdogs: readonly PeerStatus<PeerBeat>[];
  readonly workers: readonly PeerStatus<PeerBeat>[];
  /** Holders that have not been released. */
  readonly holders: readonly HolderReport[];
  readonly openIncidents: readonly OpenIncident[];
  readonly lastCompletion: Completion | undefined;
  readonly lastEscalation: Escalation | undefined;
  /** Records about exits, and of holders, that nobody could understand. */
  readonly unreadable: readonly string[];
}

export interface StatusDeps extends Pick<StateDeps, 'clock'> {
  /** How long beats are observed. Default {@link OBSERVE_MS}. */
  readonly observeMs?: number;
}

type StatusBus = Pick<Bus, 'url' | 'latch' | 'read' | 'end'>;

async function readState(bus: StatusBus): Promise<Pick<SystemStatus, 'state' | 'version' | 'problem'>> {
  try {
    const { state, version } = await readTradingState(bus);
    return { state, version, problem: undefined };
  } catch (error) {
    if (!(error instanceof BusDoubtError)) throw error;
    return { state: undefined, version: undefined, problem: messageOf(error) };
  }
}

/** Reads only. Takes `observeMs`. Throws BusUnavailableError without contact. */
export async function readStatus(bus: StatusBus, deps: StatusDeps = {}): Promise<SystemStatus> {
  const { clock = systemClock, observeMs = OBSERVE_MS } = deps;
  const observer = observeFleet(bus, { clock });
  try {
    await clock.sleep(observeMs);
  } finally {
    await observer.stop();
  }
  const nowMs = clock.monotonicMs();
  const peer = <T>(sighting: Sighting<T>): PeerStatus<T> => ({
    name: sighting.name,
    beat: sighting.value,
    ageMs: nowMs - sighting.lastSeenMs,
    progress: sighting.advances > 0,
  });
  const { brains, watchdogs, workers } = observer.seen();
  const reading = await readState(bus);
  const holders = await readHolders(bus);
  const record = await readExitRecord(bus);
  const { state } = reading;
  return {
    bus: bus.url,
    observedMs: observeMs,
    ...reading,
    brains: brains.map(peer),
    missingServices: (state?.services ?? []).filter((service) => !brains.some(({ name }) => name === service)),
    watchdogs: watchdogs.map(peer),
    workers: workers.map(peer),
    holders: [...holders.standings.values()].filter(({ released }) => !released).map(({ last }) => last),
    openIncidents: state === undefined ? [] : openIncidents(record, state),
    lastCompletion: record.completions.at(-1),
    lastEscalation: record.escalations.at(-1),
    unreadable: [...record.unreadable, ...holders.unclear.map(({ name, problem }) => `holder ${name}: ${problem}`)],
  };
}
