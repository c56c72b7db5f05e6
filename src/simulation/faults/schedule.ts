/** A schedule: one simulated run as data. It says everything that decides the run, so that it replays, shrinks and can be stored. */
import { checkOneOf } from '../../checks.js';
import { ConfigurationError, messageOf } from '../../errors.js';
import type { WorldSetup } from '../world/setup.js';
import { timingsOf } from '../world/timings.js';

export const SCHEDULE_VERSION = 3;

/** When the brain is killed for good: after the healing, when whoever watches has had time to trust itself again. */
export function lastKillMs({ healMs, setup }: Pick<Schedule, 'healMs' | 'setup'>): number {
  return healMs + Math.max(3_000, 3 * timingsOf(setup).peerBeatMs);
}

/** What a fault may wait for instead of a moment of its own. */
/** `overdue`: the brain will be accused within moments; `trip`: a breaker has tripped; `fill`: a close has filled, wholly or in part. */
export const OCCASIONS = ['overdue', 'panic', 'close', 'fill', 'completion', 'trip'] as const;
export type Occasion = (typeof OCCASIONS)[number];

export const FAULT_KINDS = [
  'crash',
  'terminate',
  'stop',
  'suspend',
  'wall-step',
  'hang',
  'bus-stall',
  'bus-clog',
  'bus-reset',
  'bus-freeze',
  'bus-restart',
  'bus-loss',
  'bus-failover',
  'bus-full',
  'bus-read-only',
  'bus-doubt',
  'venue-stall',
  'venue-clog',
  'venue-freeze',
  'venue-reject',
  'venue-silent',
  'venue-lost',
  'venue-unreadable',
  'venue-stale',
  'venue-partial',
  'venue-late-fill',
  'venue-expire',
  'venue-closed',
  'disk-full',
  'disk-flip',
  'operator-panic',
  'runaway',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** From the beginning, or from the occasion. */
  readonly atMs: number;
  readonly on?: Occasion;
  /** How long it lasts. 0: what cannot last. */
  readonly forMs: number;
  /** A process of the world, where the fault is about one. */
  readonly target?: string;
  /** What the kind needs: milliseconds of a step or a clog, a count of requests, a direction. */
  readonly amount?: number;
  readonly way?: 'in' | 'out' | 'both';
}

export interface Schedule {
  readonly version: number;
  readonly seed: number;
  readonly setup: WorldSetup;
  readonly faults: readonly Fault[];
  /** When every fault heals and the liveness phase begins. */
  readonly healMs: number;
  readonly endMs: number;
}

function record(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ConfigurationError(field, value, 'must be an object');
  return { ...value };
}

function number(field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ConfigurationError(field, value, 'must be a finite number');
  return value;
}

function fault(field: string, value: unknown): Fault {
  const given = record(field, value);
  const kind = FAULT_KINDS.find((known) => known === given['kind']);
  if (kind === undefined) throw new ConfigurationError(`${field}.kind`, given['kind'], `must be one of ${FAULT_KINDS.join(', ')}`);
  const on = OCCASIONS.find((known) => known === given['on']);
  if (given['on'] !== undefined && on === undefined)
    throw new ConfigurationError(`${field}.on`, given['on'], `must be one of ${OCCASIONS.join(', ')}`);
  const way = (['in', 'out', 'both'] as const).find((known) => known === given['way']);
  return {
    kind,
    atMs: number(`${field}.atMs`, given['atMs']),
    forMs: number(`${field}.forMs`, given['forMs']),
    ...(on === undefined ? {} : { on }),
    ...(typeof given['target'] === 'string' ? { target: given['target'] } : {}),
    ...(given['amount'] === undefined ? {} : { amount: number(`${field}.amount`, given['amount']) }),
    ...(way === undefined ? {} : { way }),
  };
}

function flag(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new ConfigurationError(field, value, 'must be true or false');
  return value;
}

function setupOf(value: unknown): WorldSetup {
  const given = record('setup', value);
  const positions = Object.entries(record('setup.positions', given['positions']));
  const counted = (field: keyof WorldSetup) => number(`setup.${field}`, given[field]);
  return {
    watchdogs: counted('watchdogs'),
    workers: counted('workers'),
    positions: Object.fromEntries(positions.map(([symbol, quantity]) => [symbol, number(`setup.positions.${symbol}`, quantity)])),
    ordersPerS: counted('ordersPerS'),
    restingEvery: counted('restingEvery'),
    replicatedBus: flag('setup.replicatedBus', given['replicatedBus']),
    reduceOnly: checkOneOf('setup.reduceOnly', given['reduceOnly'], ['enforced', 'rejected']),
    orderExpiryMs: counted('orderExpiryMs'),
    killSwitch: flag('setup.killSwitch', given['killSwitch']),
    hostileObservers: flag('setup.hostileObservers', given['hostileObservers']),
    pace: counted('pace'),
  };
}

/** Throws a ConfigurationError that names what is wrong with the text. */
export function parseSchedule(text: string): Schedule {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ConfigurationError('schedule', text.slice(0, 40), `must be JSON (${messageOf(error)})`);
  }
  const given = record('schedule', parsed);
  if (given['version'] !== SCHEDULE_VERSION)
    throw new ConfigurationError('version', given['version'], `must be ${SCHEDULE_VERSION}: the schedule was written by another version`);
  if (!Array.isArray(given['faults'])) throw new ConfigurationError('faults', given['faults'], 'must be a list');
  return {
    version: SCHEDULE_VERSION,
    seed: number('seed', given['seed']),
    setup: setupOf(given['setup']),
    faults: given['faults'].map((value: unknown, index) => fault(`faults[${index}]`, value)),
    healMs: number('healMs', given['healMs']),
    endMs: number('endMs', given['endMs']),
  };
}
