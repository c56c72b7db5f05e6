/** Observes who is at work: exit brains, watchdogs and exit workers, by their beats. */
import type { Bus, BusRecord } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../messages/heartbeat.js';
import { decodePeerBeat, EXIT_WORKER_HEARTBEAT, type PeerBeat, WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';
import { type Sighting, Sightings } from './sightings.js';
import { tail } from './tail.js';

export interface Fleet {
  /** Progress of a brain is its decision sequence: a timer can beat without deciding. */
  readonly brains: readonly Sighting<BrainBeat>[];
  readonly watchdogs: readonly Sighting<PeerBeat>[];
  readonly workers: readonly Sighting<PeerBeat>[];
}

export interface FleetObserver {
  seen(): Fleet;
  stop(): Promise<void>;
}

export interface FleetOptions {
  readonly clock: Clock;
  /** Default 100 ms. */
  readonly blockMs?: number;
}

const DEFAULT_BLOCK_MS = 100;

export function noteBrain(sightings: Sightings<BrainBeat>, record: BusRecord, atMs: number): void {
  const beat = decodeBrainBeat(record.fields, record.appendedWallMs);
  if (beat.ok) sightings.note(beat.value.serviceId, beat.value.generation, beat.value.decisionSequence, beat.value, atMs);
}

export function notePeer(sightings: Sightings<PeerBeat>, record: BusRecord, atMs: number): void {
  const beat = decodePeerBeat(record.fields);
  if (beat.ok) sightings.note(beat.value.peerId, beat.value.generation, beat.value.sequence, beat.value, atMs);
}

/** Starts to observe at once, from the end of each stream. */
export function observeFleet(bus: Pick<Bus, 'read' | 'end'>, options: FleetOptions): FleetObserver {
  const { clock, blockMs = DEFAULT_BLOCK_MS } = options;
  const brains = new Sightings<BrainBeat>();
  const watchdogs = new Sightings<PeerBeat>();
  const workers = new Sightings<PeerBeat>();
  const stopping = new AbortController();
  const follow = (stream: string, onRecord: (record: BusRecord, atMs: number) => void): Promise<void> =>
    tail(bus, stream, { clock, signal: stopping.signal, blockMs, retryMs: blockMs, onRecord });
  const running = Promise.all([
    follow(EXIT_BRAIN_HEARTBEAT, (record, atMs) => noteBrain(brains, record, atMs)),
    follow(WATCHDOG_HEARTBEAT, (record, atMs) => notePeer(watchdogs, record, atMs)),
    follow(EXIT_WORKER_HEARTBEAT, (record, atMs) => notePeer(workers, record, atMs)),
  ]);
  return {
    seen: () => ({ brains: brains.all(), watchdogs: watchdogs.all(), workers: workers.all() }),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
