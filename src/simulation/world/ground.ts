/** What every role of a simulated world stands on. */
import type { Alert } from '../../alert/alert.js';
import type { SimulatedRedis } from '../bus/simulatedRedis.js';
import type { Kernel } from '../kernel/kernel.js';
import { SimulatedDisk } from '../kernel/simulatedDisk.js';
import { SimulatedProcess } from '../kernel/simulatedProcess.js';
import type { SimulatedVenue } from '../venue/simulatedVenue.js';
import type { Observers } from './observers.js';
import type { WorldParts } from './parts.js';
import type { WorldSetup } from './setup.js';

export const ACCOUNT = 'default';
export const SERVICE = 'exit-brain';
export const STRATEGY = 'strategy';
/** 2015-08-24, a Monday with a crash. */
export const WALL_START_MS = 1_440_374_400_000;
/** When a broker call of a role surely ends. */
export const BROKER_TIMEOUT_MS = 2_000;

/** One guarded order, as it left the order door. */
export interface SentOrder {
  readonly atMs: number;
  readonly process: string;
  /** The life of the process. */
  readonly holder: string;
  readonly clientOrderId: string;
  readonly intent: 'increase' | 'cancel';
}

/** What became of one guarded order in the eyes of whoever sent it. */
export interface ToldOutcome {
  readonly atMs: number;
  readonly clientOrderId: string;
  /** `other`: an error that no broker gave. */
  readonly how: 'reported' | 'rejected' | 'unknown' | 'other';
}

/** A process that was asked to end in order. */
export interface OrderlyEnd {
  readonly holder: string;
  readonly askedMs: number;
  /** Orders that it named as unfinished when it ended; absent: it has not ended so far. */
  ended?: { readonly atMs: number; readonly unfinished: readonly string[] };
}

export interface Ground {
  readonly kernel: Kernel;
  readonly redis: SimulatedRedis;
  readonly venue: SimulatedVenue;
  readonly setup: WorldSetup;
  readonly parts: WorldParts;
  /** The strategy stands behind breakers that cap its rate. */
  readonly capsOrderRate: boolean;
  readonly sent: SentOrder[];
  readonly told: ToldOutcome[];
  readonly ends: OrderlyEnd[];
  readonly observers: Observers;
  readonly refusedCancels: { readonly atMs: number; readonly code: string }[];
  /** Trips of breakers, as the process that holds them saw them. */
  readonly trips: { readonly atMs: number; readonly holder: string }[];
  readonly alerts: { readonly atMs: number; readonly alert: Alert }[];
  /** By host: what outlives a process. */
  readonly disks: Map<string, SimulatedDisk>;
}

/** A new life of a process under this name: nothing of an earlier one but its disk. */
export function bear(ground: Ground, name: string, life: number): SimulatedProcess {
  const { kernel } = ground;
  const random = kernel.random.fork(`process ${name}/${life}`);
  // No two oscillators agree: up to 50 millionths either way.
  const rate = 1 + (random.next() - 0.5) * 1e-4;
  const bornMs = kernel.nowMs * rate;
  const startMs = Math.floor(random.next() * 1e6) + 1_000 - bornMs;
  const wallStartMs = WALL_START_MS - bornMs + kernel.nowMs + Math.floor(random.next() * 100);
  return new SimulatedProcess(
    kernel,
    name,
    { host: `host-${name}`, bootId: `boot-${name}`, pid: 100 + (life % 1_000) },
    { startMs, wallStartMs, rate },
  );
}

export function diskOf(ground: Ground, host: string): SimulatedDisk {
  let disk = ground.disks.get(host);
  if (disk === undefined) {
    disk = new SimulatedDisk();
    ground.disks.set(host, disk);
  }
  return disk;
}
