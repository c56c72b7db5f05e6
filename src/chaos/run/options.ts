/** What a chaos run is asked to do, with its defaults and bounds. */
import { isRedisUrl } from '../../bus/redis/target.js';
import { checkDurationMs, checkInteger, checkNumber } from '../../checks.js';
import { ConfigurationError } from '../../errors.js';
import { SCALE_MAX } from '../../roles/scale.js';
import { SAMPLE_MS } from './monitor.js';
import type { BusKind, ChaosScenario } from './scenario.js';

export interface ChaosRunOptions {
  /** A bus of which a fresh key prefix or subdirectory is used. Default: one of the run's own. */
  readonly bus?: string;
  /** Start a Redis server for the bus; only where no bus is given. Default: false. */
  readonly redis: boolean;
  /** Divides thresholds, intervals, leases, claims and broker timeouts; never a tolerance. */
  readonly scale: number;
  readonly seed: number;
  readonly positions: number;
  /** Where the folder of the campaign is made. */
  readonly outputDirectory: string;
  /** Between two dumps of the control plane, and between two samples of the resources. */
  readonly dumpEveryMs: number;
  /** One safeguard is replaced by a broken one: the run must go red. */
  readonly sabotage?: string;
  /** Pass on what the processes log. */
  readonly verbose: boolean;
}

export const DEFAULT_CHAOS_RUN = {
  redis: false,
  scale: 1,
  seed: 1,
  positions: 5,
  outputDirectory: 'var/chaos',
  dumpEveryMs: 5_000,
  verbose: false,
} as const;

/** Throws {@link ConfigurationError} naming field, value and bound. */
export function checkChaosRunOptions(given: Partial<ChaosRunOptions>): ChaosRunOptions {
  const options = { ...DEFAULT_CHAOS_RUN, ...given };
  if (options.redis && options.bus !== undefined)
    throw new ConfigurationError('options', ['--redis', '--bus'], 'must not be combined: with --redis the run starts a server of its own');
  checkNumber('scale', options.scale, { min: 1, max: SCALE_MAX });
  checkInteger('seed', options.seed, { min: 0, max: Number.MAX_SAFE_INTEGER });
  checkDurationMs('dump-every', options.dumpEveryMs, { min: SAMPLE_MS });
  checkInteger('positions', options.positions, { min: 1, max: 500 });
  return options;
}

/** On which kind of bus the scenario is played. Throws a ConfigurationError where what is asked for is none of those it can happen on. */
export function busKindFor(scenario: ChaosScenario, { bus, redis }: Pick<ChaosRunOptions, 'bus' | 'redis'>): BusKind {
  const [first = 'journal'] = scenario.buses;
  if (bus === undefined && !redis) return first;
  const kind = redis || (bus !== undefined && isRedisUrl(bus)) ? 'redis' : 'journal';
  if (scenario.buses.includes(kind)) return kind;
  throw new ConfigurationError('bus', bus ?? '--redis', `must be one on which ${scenario.name} can happen: ${scenario.buses.join(' or ')}`);
}
