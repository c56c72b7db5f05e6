/** The options of the shutdown, checked by hand: the import of the library must stay light. */
import { checkDurationMs, checkOneOf, checkText } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { ShutdownGate } from '../shutdownGate/gate.js';
import { checkGate } from '../shutdownGate/options.js';
import { DEFAULT_DRAIN_TIMEOUT_MS } from '../shutdownGate/protocol.js';
import { DEAD_WINDOW_MS, END_SIGNALS, type EndSignal, FAULT_EVENTS } from './events.js';

export const DEFAULT_SIGNALS: readonly EndSignal[] = ['SIGTERM', 'SIGINT'];
export const DEFAULT_FORCE_AFTER_MS = 10_000;
export const DEFAULT_HOOK_TIMEOUT_MS = 2_000;
export const DEFAULT_HOOK_NAME = 'hook';
export const DEFAULT_LOOP_NAME = 'loop';

export interface SignalOptions {
  /** Which signals ask for an orderly end. Default SIGTERM and SIGINT. */
  readonly signals?: readonly EndSignal[];
  /** How long orders in flight and loops are waited for. Default 8,000 ms; at least 500 ms more than the longest `brokerTimeoutMs`. */
  readonly drainTimeoutMs?: number;
  /**
   * Lets `drainTimeoutMs` be too short for a broker call: then an order can be in flight when the process ends, and nobody here learns
   * what became of it. Default false.
   */
  readonly allowShortDrain?: boolean;
  /** The budget of the whole shutdown, drain and hooks together; then the process is ended. Default 10,000 ms; more than `drainTimeoutMs`. */
  readonly forceAfterMs?: number;
  /** A further signal that comes sooner after the first is the same one; a later one ends the process at once. Default 1,000 ms. */
  readonly deadWindowMs?: number;
  /** What nobody caught asks for an orderly end as well, with exit code 1. Default false: it is left to Node until a shutdown runs. */
  readonly uncaughtException?: boolean;
  /** The same for a rejection that nobody handles. Default false: it is left to Node, for which it is an uncaught exception. */
  readonly unhandledRejection?: boolean;
  /** Further gates that are shut and drained together with the process-wide one. Default: none. */
  readonly gates?: readonly ShutdownGate[];
  /** Told of each step. Default: silent. */
  readonly logger?: Logger;
}

/** Options with every default filled in. */
export type SignalSettings = Required<Omit<SignalOptions, 'logger'>> & { readonly logger: Logger | undefined };

const DURATION_OPTIONS = ['drainTimeoutMs', 'forceAfterMs', 'deadWindowMs'] as const;
const KNOWN_OPTIONS: readonly string[] = [...DURATION_OPTIONS, ...FAULT_EVENTS, 'allowShortDrain', 'signals', 'gates', 'logger'];

/** A misspelt option would be a safeguard that is silently missing. */
export function checkKnownOptions(options: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof options !== 'object' || options === null) throw new ConfigurationError('options', options, 'must be an object');
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const field of Object.keys(given)) {
    if (!known.includes(field)) throw new ConfigurationError(field, given[field], `is not an option: one of ${known.join(', ')}`);
  }
  return given;
}

function checkSignals(value: unknown): readonly EndSignal[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ConfigurationError('signals', value, 'must be a list of signals that is not empty');
  return value.map((name, index) => checkOneOf(`signals[${index}]`, name, END_SIGNALS));
}

function checkGates(gates: readonly ShutdownGate[]): readonly ShutdownGate[] {
  const given: unknown = gates;
  if (!Array.isArray(given)) throw new ConfigurationError('gates', given, 'must be a list of shutdown gates');
  gates.forEach((gate, index) => checkGate(`gates[${index}]`, gate));
  return gates;
}

function checkFlag(field: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw new ConfigurationError(field, value, 'must be true or false');
  return value;
}

/** Throws {@link ConfigurationError} for the first option that cannot hold. */
export function signalSettings(options: SignalOptions): SignalSettings {
  const given = checkKnownOptions(options, KNOWN_OPTIONS);
  const duration = (field: (typeof DURATION_OPTIONS)[number], otherwise: number): number =>
    given[field] === undefined ? otherwise : checkDurationMs(field, given[field]);
  const drainTimeoutMs = duration('drainTimeoutMs', DEFAULT_DRAIN_TIMEOUT_MS);
  const forceAfterMs = duration('forceAfterMs', DEFAULT_FORCE_AFTER_MS);
  if (forceAfterMs <= drainTimeoutMs) {
    throw new ConfigurationError(
      'forceAfterMs',
      forceAfterMs,
      `must be more than drainTimeoutMs (${drainTimeoutMs}): the hooks come after the drain`,
    );
  }
  return {
    signals: given['signals'] === undefined ? DEFAULT_SIGNALS : checkSignals(given['signals']),
    drainTimeoutMs,
    allowShortDrain: checkFlag('allowShortDrain', given['allowShortDrain']),
    forceAfterMs,
    deadWindowMs: duration('deadWindowMs', DEAD_WINDOW_MS),
    uncaughtException: checkFlag('uncaughtException', given['uncaughtException']),
    unhandledRejection: checkFlag('unhandledRejection', given['unhandledRejection']),
    gates: checkGates(options.gates ?? []),
    logger: options.logger,
  };
}

/** What holds when nobody handles signals. */
export const UNASKED: SignalSettings = signalSettings({});

/** The drain that gates are promised, and hold their guards' broker calls to; undefined: it may be too short for one. */
export function promisedDrainMs({ allowShortDrain, drainTimeoutMs }: SignalSettings): number | undefined {
  return allowShortDrain ? undefined : drainTimeoutMs;
}

/** Several askers share one owner: nobody's drain gets shorter, nobody's signal is left out. */
export function combineSettings(all: readonly SignalSettings[]): SignalSettings {
  const [first = UNASKED, ...others] = all;
  return others.reduce(
    (left, right) => ({
      signals: [...new Set([...left.signals, ...right.signals])],
      drainTimeoutMs: Math.max(left.drainTimeoutMs, right.drainTimeoutMs),
      allowShortDrain: left.allowShortDrain && right.allowShortDrain,
      forceAfterMs: Math.max(left.forceAfterMs, right.forceAfterMs),
      deadWindowMs: Math.max(left.deadWindowMs, right.deadWindowMs),
      uncaughtException: left.uncaughtException || right.uncaughtException,
      unhandledRejection: left.unhandledRejection || right.unhandledRejection,
      gates: [...new Set([...left.gates, ...right.gates])],
      logger: undefined,
    }),
    first,
  );
}

export interface HookOptions {
  /** What reports call it. Default `hook`. */
  readonly name?: string;
  /** How long it may take. Default 2,000 ms; less where the budget of the shutdown does not reach for all. */
  readonly timeoutMs?: number;
}

/** Throws {@link ConfigurationError} for the first option that cannot hold. */
export function hookSettings(hook: unknown, options: HookOptions): Required<HookOptions> {
  if (typeof hook !== 'function') throw new ConfigurationError('hook', hook, 'must be a function');
  const { name, timeoutMs } = checkKnownOptions(options, ['name', 'timeoutMs']);
  return {
    name: name === undefined ? DEFAULT_HOOK_NAME : checkText('name', name),
    timeoutMs: timeoutMs === undefined ? DEFAULT_HOOK_TIMEOUT_MS : checkDurationMs('timeoutMs', timeoutMs, { min: 1 }),
  };
}
