/** The options of a kill switch, checked by hand: the import of the library must stay light. */
import { checkDurationMs, checkName } from '../checks.js';
import { type Clock, systemClock, WALL_DIVERGENCE_MS } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';
import type { KillSwitchScope, KillSwitchSource } from './source.js';

export const DEFAULT_MAX_STALENESS_MS = 1_000;
export const DEFAULT_POLL_MS = 100;
/** Reads of the bus wait for a change, and end so often in the time that an answer counts. */
export const BUS_READS_PER_STALENESS = 4;
/** After a read that was overtaken by a change, so that a storm of changes does not take all of the processor. */
export const HINT_GAP_MS = 5;
/** A file that is larger is no switch. */
export const MAX_FILE_BYTES = 1_024;
/** Calls of a user's function that may hang unanswered before it is not asked any more. */
export const MAX_UNANSWERED = 4;

export interface KillSwitchOptions {
  /** Where to look. Any one that halts, is in doubt or is stale halts. */
  readonly sources: readonly KillSwitchSource[];
  /** What was read longer ago does not count. Default 1,000 ms, at most 60,000. */
  readonly maxStalenessMs?: number;
  /** How often a source is read where nothing says that it has changed. Default 100 ms, at most half of `maxStalenessMs`. */
  readonly pollMs?: number;
  /** How far wall and monotonic clock may drift apart after a read before it does not count: the host was suspended. Default 250 ms. */
  readonly wallDivergenceMs?: number;
  /** Permits a switch that nobody can throw while this process runs. Default false. */
  readonly allowStatic?: boolean;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export type KillSwitchConfig = Required<KillSwitchOptions>;

/** The options as they were given. A misspelt safeguard would be one that is silently missing. */
export function knownOptions(field: string, options: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof options !== 'object' || options === null)
    throw new ConfigurationError(field, options, `must be an object with ${known.join(', ')}`);
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name)) throw new ConfigurationError(name, value, `is not an option: one of ${known.join(', ')}`);
  }
  return given;
}

const SCOPE_FIELDS = ['strategy', 'account'] as const;

export function checkScope(scope: unknown): KillSwitchScope {
  if (scope === undefined) return {};
  const given = Object.entries(knownOptions('scope', scope, SCOPE_FIELDS));
  return Object.fromEntries(given.map(([field, value]) => [field, checkName(`scope.${field}`, value)]));
}

export function checkFlag(field: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw new ConfigurationError(field, value, 'must be true or false');
  return value === true;
}

function isSource(value: unknown): value is KillSwitchSource {
  return typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'function' && 'canChange' in value;
}

function checkSources(sources: unknown): readonly KillSwitchSource[] {
  if (!Array.isArray(sources) || sources.length === 0) throw new ConfigurationError('sources', sources, 'must name at least one source');
  return sources.map((source: unknown, index) => {
    if (!isSource(source)) {
      throw new ConfigurationError(`sources[${index}]`, source, 'must be made by envSource, fileSource, busSource or functionSource');
    }
    return source;
  });
}

/** Throws {@link ConfigurationError} where none of them, at least one, can change: a switch that nobody can throw is none. */
export function checkChangeable(field: string, value: unknown, sources: readonly KillSwitchSource[], allowStatic: boolean): void {
  if (allowStatic || sources.some(({ canChange }) => canChange)) return;
  const names = sources.map(({ name }) => name).join(', ');
  throw new ConfigurationError(
    field,
    value,
    `can never change while the process runs (it reads ${names}): must include a file, a bus or a function, or allowStatic must be true`,
  );
}

const KNOWN_OPTIONS = ['sources', 'maxStalenessMs', 'pollMs', 'wallDivergenceMs', 'allowStatic', 'clock', 'logger'] as const;

/** Throws ConfigurationError naming field, value and bound. */
export function killSwitchConfig(options: KillSwitchOptions): KillSwitchConfig {
  knownOptions('options', options, KNOWN_OPTIONS);
  const sources = checkSources(options.sources);
  const allowStatic = checkFlag('allowStatic', options.allowStatic);
  checkChangeable(
    'sources',
    sources.map(({ name }) => name),
    sources,
    allowStatic,
  );
  const maxStalenessMs = checkDurationMs('maxStalenessMs', options.maxStalenessMs ?? DEFAULT_MAX_STALENESS_MS, { min: 20, max: 60_000 });
  const defaultPollMs = Math.min(DEFAULT_POLL_MS, maxStalenessMs / 2);
  return {
    sources,
    maxStalenessMs,
    // A poll that comes later than that would find the last one stale whenever it is a little late.
    pollMs: checkDurationMs('pollMs', options.pollMs ?? defaultPollMs, { min: 1, max: maxStalenessMs / 2 }),
    wallDivergenceMs: checkDurationMs('wallDivergenceMs', options.wallDivergenceMs ?? WALL_DIVERGENCE_MS, { min: 1, max: 10_000 }),
    allowStatic,
    clock: options.clock ?? systemClock,
    logger: isolatedLogger(options.logger),
  };
}
