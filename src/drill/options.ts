/** What a drill is asked to do, with its defaults and bounds. */
import { isLoopback } from '../bus/redis/address.js';
import { addressesOf, isRedisUrl, parseRedisUrl, type RedisPlace } from '../bus/redis/target.js';
import { checkDurationMs, checkInteger, checkNumber, checkOneOf } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { SCALE_MAX } from '../roles/scale.js';

export const KILLS = ['brain', 'worker', 'watchdog', 'brain+worker', 'bus-master'] as const;
export type Kill = (typeof KILLS)[number];

/** Faults other than a death, each of which the intact system must survive. */
export const FAULTS = [
  'brain-degraded',
  'frozen-loop',
  'stale-decisions',
  'flapping',
  'flat-brain-killed',
  'read-failures',
  'expired-closes',
  'lost-panic',
  'panic-twice',
  'wall-step',
  'stopped-watchdog',
  'old-panic',
  'lost-answers',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Nothing may come of these: their runs have a quiet time. */
const QUIET_FAULTS: readonly Fault[] = ['wall-step', 'stopped-watchdog'];

export const SIGNALS = ['SIGKILL', 'SIGSTOP'] as const;
export type DrillSignal = (typeof SIGNALS)[number];

/** Who is cut off from the bus for a while, with everyone alive. */
export const PARTITIONS = ['strategy', 'watchdog', 'worker'] as const;
export type Partition = (typeof PARTITIONS)[number];

export interface DrillOptions {
  /** A bus to use under a subdirectory of its own. Default: a journal in a new temporary directory. */
  readonly bus?: string;
  /** Start a Redis server for the bus, instead of a journal. */
  readonly redis: boolean;
  /** CSV of bars. Default: AAPL daily, 2013 to 2018. */
  readonly bars?: string;
  readonly positions: number;
  readonly venueLatencyMs: number;
  /** Divides thresholds, intervals, leases, claims, dwells and broker timeouts; never a tolerance. */
  readonly scale: number;
  readonly kill: Kill;
  readonly signal: DrillSignal;
  readonly repeat: number;
  /** Chooses at which moment between two heartbeats the fault falls, anew in each run. */
  readonly seed: number;
  readonly noFault: boolean;
  /** How long nothing may happen where a run has a quiet time. Default: three thresholds of a missing heartbeat. */
  readonly quietForMs?: number;
  readonly fault?: Fault;
  readonly partition?: Partition;
  readonly sabotage?: string;
  /** Pass on what the processes log. */
  readonly verbose: boolean;
}

export const DEFAULT_DRILL: DrillOptions = {
  positions: 10,
  venueLatencyMs: 20,
  scale: 1,
  kill: 'brain',
  signal: 'SIGKILL',
  repeat: 1,
  seed: 1,
  noFault: false,
  redis: false,
  verbose: false,
};

/** Throws {@link ConfigurationError} naming field, value and bound. */
export function checkDrillOptions(given: Partial<DrillOptions>): DrillOptions {
  const options = { ...DEFAULT_DRILL, ...given };
  checkInteger('positions', options.positions, { min: 1, max: 500 });
  checkNumber('venue-latency-ms', options.venueLatencyMs, { min: 0, max: 1_000 });
  checkNumber('scale', options.scale, { min: 1, max: SCALE_MAX });
  checkOneOf('kill', options.kill, KILLS);
  checkOneOf('signal', options.signal, SIGNALS);
  checkInteger('repeat', options.repeat, { min: 1, max: 10_000 });
  checkInteger('seed', options.seed, { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (options.quietForMs !== undefined) checkDurationMs('quiet-for', options.quietForMs, { min: 1 });
  if (options.fault !== undefined) checkOneOf('fault', options.fault, FAULTS);
  if (options.quietForMs !== undefined && !options.noFault && !QUIET_FAULTS.some((fault) => fault === options.fault))
    throw new ConfigurationError(
      'quiet-for',
      options.quietForMs,
      `must be used with --no-fault, or with --fault ${QUIET_FAULTS.join(' or ')}`,
    );
  if (options.redis && options.bus !== undefined)
    throw new ConfigurationError(
      'options',
      ['--redis', '--bus'],
      'must not be combined: with --redis the drill starts a server of its own',
    );
  if (options.kill === 'bus-master') checkStrikable(options);
  if (options.partition !== undefined) checkCuttable(checkOneOf('partition', options.partition, PARTITIONS), options);
  const modes = [
    options.kill === DEFAULT_DRILL.kill ? '' : '--kill',
    options.noFault ? '--no-fault' : '',
    options.fault === undefined ? '' : '--fault',
    options.partition === undefined ? '' : '--partition',
    options.sabotage === undefined ? '' : '--sabotage',
  ];
  const chosen = modes.filter((mode) => mode !== '');
  if (chosen.length > 1) throw new ConfigurationError('options', chosen, 'must not be combined: each brings a fault of its own');
  return options;
}

/** Only a connection can be cut, and only one on this machine may be. */
function checkCuttable(partition: Partition, options: DrillOptions): void {
  if (!options.redis && !isOnThisMachine(options, ['server', 'sentinel', 'cluster']))
    throw new ConfigurationError('partition', partition, 'must be used with --redis, or with a --bus of Redis on loopback');
}

/** Only a process of this machine can be struck, and a single server that the drill did not start would not come back. */
function checkStrikable(options: DrillOptions): void {
  if (!options.redis && !isOnThisMachine(options, ['sentinel', 'cluster']))
    throw new ConfigurationError('kill', 'bus-master', 'must be used with --redis, or with a --bus of Sentinel or Cluster on loopback');
}

function isOnThisMachine({ bus }: DrillOptions, kinds: readonly RedisPlace['kind'][]): boolean {
  if (bus === undefined || !isRedisUrl(bus)) return false;
  const target = parseRedisUrl(bus);
  return kinds.includes(target.place.kind) && addressesOf(target).every(isLoopback);
}
