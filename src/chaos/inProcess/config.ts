/** What an engine is asked to do, with defaults and bounds. */
import { checkDurationMs, checkInteger, checkNumber, checkOneOf, checkText } from '../../checks.js';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigurationError } from '../../errors.js';
import { systemRandom } from '../../random.js';
import { BEHAVIOURS_OF, CHAOS_BEHAVIOURS, CHAOS_TYPES, type ChaosBehaviour, type ChaosType } from './faultKinds.js';
import type { ChaosInjection } from './injection.js';

export interface ChaosConfig {
  /** Nothing is ever injected without it. Default false. */
  readonly armed?: boolean;
  /** Default: all five. */
  readonly types?: readonly ChaosType[];
  /** Which behaviours of those types. Default: all that the types have. */
  readonly behaviours?: readonly ChaosBehaviour[];
  /** Share of the calls that are hit, from 0 to 1. Default 0.2. */
  readonly failureRate?: number;
  /** Hit exactly these calls of each target, 1 for the first, instead of a share of them. */
  readonly atCalls?: readonly number[];
  /** Chooses every fault; the same seed and the same calls give the same faults. Default: a new one, told in the result. */
  readonly seed?: number | string;
  /** From the making of the engine on; later calls are left alone. Default 60,000. */
  readonly durationMs?: number;
  /** Names of the targets that may be hit. Default, and where it is empty: every one. */
  readonly targets?: readonly string[];
  /** Default 1,000. */
  readonly maxInjections?: number;
  /**
   * Share of the injections whose recovery may fail, from 0 to 1. When more have failed, no more is injected and the run has failed.
   * Judged from 20 observed ones on, and at the end. Default 0.2.
   */
  readonly errorBudget?: number;
  /** The longest delay; each is drawn between half of it and all of it. A reordered call waits for a later one so long. Default 250. */
  readonly latencyMs?: number;
  /** How long a hang lasts. Default: until the duration is over or the engine is closed. */
  readonly hangMs?: number;
  /** Whether the system has recovered from this injection. Asked after the fault, until it says so. It must not look through what is hit. */
  readonly recovered?: (injection: ChaosInjection) => boolean | Promise<boolean>;
  /** How long `recovered` may go on saying no. Default 5,000. */
  readonly recoveryTimeoutMs?: number;
  /** Between two looks. Default 10. */
  readonly recoveryPollMs?: number;
  readonly clock?: Clock;
}

export const CHAOS_DEFAULTS = {
  armed: false,
  types: CHAOS_TYPES,
  failureRate: 0.2,
  durationMs: 60_000,
  maxInjections: 1_000,
  errorBudget: 0.2,
  latencyMs: 250,
  recoveryTimeoutMs: 5_000,
  recoveryPollMs: 10,
} as const;

/** What may fall: a type and, each as likely, one of its behaviours. */
export type FaultMenu = readonly { readonly type: ChaosType; readonly behaviours: readonly ChaosBehaviour[] }[];

type Optional = 'atCalls' | 'behaviours' | 'hangMs' | 'recovered';

export interface ChaosSettings extends Omit<Required<ChaosConfig>, Optional | 'targets'>, Pick<ChaosConfig, Exclude<Optional, 'atCalls'>> {
  readonly atCalls: ReadonlySet<number> | undefined;
  readonly targets: ReadonlySet<string>;
}

const SEED_BOUND = 2 ** 31;

/** Throws a ConfigurationError for the first field that cannot hold. */
export function chaosSettings(config: ChaosConfig): ChaosSettings {
  const {
    armed = CHAOS_DEFAULTS.armed,
    atCalls,
    seed = systemRandom.below(SEED_BOUND),
    targets = [],
    clock = systemClock,
    recovered,
  } = config;
  if (typeof armed !== 'boolean') throw new ConfigurationError('armed', armed, 'must be true or false');
  const duration = (field: 'durationMs' | 'latencyMs' | 'recoveryTimeoutMs' | 'recoveryPollMs') =>
    checkDurationMs(field, config[field] ?? CHAOS_DEFAULTS[field], { min: 1 });
  return {
    armed,
    types: typesOf(config),
    ...(config.behaviours === undefined ? {} : { behaviours: behavioursOf(config.behaviours) }),
    failureRate: checkNumber('failureRate', config.failureRate ?? CHAOS_DEFAULTS.failureRate, { min: 0, max: 1 }),
    atCalls: atCalls === undefined ? undefined : new Set(atCalls.map((call) => checkInteger('atCalls', call, { min: 1 }))),
    seed: typeof seed === 'string' ? checkText('seed', seed) : checkNumber('seed', seed),
    durationMs: duration('durationMs'),
    targets: new Set(targets.map((target) => checkText('targets', target))),
    maxInjections: checkInteger('maxInjections', config.maxInjections ?? CHAOS_DEFAULTS.maxInjections, { min: 1 }),
    errorBudget: checkNumber('errorBudget', config.errorBudget ?? CHAOS_DEFAULTS.errorBudget, { min: 0, max: 1 }),
    latencyMs: duration('latencyMs'),
    ...(config.hangMs === undefined ? {} : { hangMs: checkDurationMs('hangMs', config.hangMs, { min: 1 }) }),
    ...(recovered === undefined ? {} : { recovered }),
    recoveryTimeoutMs: duration('recoveryTimeoutMs'),
    recoveryPollMs: duration('recoveryPollMs'),
    clock,
  };
}

function typesOf({ types = CHAOS_DEFAULTS.types }: ChaosConfig): readonly ChaosType[] {
  if (types.length === 0) throw new ConfigurationError('types', types, `must name at least one of ${CHAOS_TYPES.join(', ')}`);
  return [...new Set(types)].map((type) => checkOneOf('types', type, CHAOS_TYPES));
}

function behavioursOf(behaviours: readonly ChaosBehaviour[]): readonly ChaosBehaviour[] {
  return behaviours.map((behaviour) => checkOneOf('behaviours', behaviour, CHAOS_BEHAVIOURS));
}

/** What a target allows beside the behaviours of a type, and what it does not. */
export interface TargetAllows {
  readonly hasOutcome: boolean;
  readonly rulesOut?: readonly ChaosBehaviour[];
}

/** For one target. Throws a ConfigurationError where a type could do nothing there. */
export function menuOf(
  { types, behaviours }: Pick<ChaosSettings, 'types' | 'behaviours'>,
  { hasOutcome, rulesOut = [] }: TargetAllows,
): FaultMenu {
  return types.map((type) => {
    const own: readonly ChaosBehaviour[] = hasOutcome ? [...BEHAVIOURS_OF[type], 'outcome'] : BEHAVIOURS_OF[type];
    const known = own.filter((behaviour) => !rulesOut.includes(behaviour));
    const kept = known.filter((behaviour) => behaviours === undefined || behaviours.includes(behaviour));
    if (kept.length === 0) throw new ConfigurationError('behaviours', behaviours, `must leave ${type} one of ${known.join(', ')}`);
    return { type, behaviours: kept };
  });
}
