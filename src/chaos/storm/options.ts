/** What a storm is asked to do, with its defaults. */
import { checkOneOf } from '../../checks.js';
import { ConfigurationError } from '../../errors.js';
import { CHAOS_TYPES, type ChaosType } from '../inProcess/faultKinds.js';

export interface StormOptions {
  readonly types: readonly ChaosType[];
  readonly failureRate: number;
  readonly seed?: number;
  readonly durationMs: number;
  readonly maxInjections: number;
  /** Where the report is written. */
  readonly reportFile: string;
  /** A module of the operator's own. Default: a halt and a panic_close on a bus. */
  readonly subject?: string;
  /** Print every injection as well. */
  readonly verbose: boolean;
}

export const DEFAULT_STORM = {
  types: 'network,disk,timeout',
  failureRate: 0.3,
  durationMs: 60_000,
  maxInjections: 1_000,
  reportFile: 'var/chaos/CHAOS_REPORT.md',
} as const;

/** `disk` is what people write for `disk_io`. */
const WRITTEN_AS: ReadonlyMap<string, ChaosType> = new Map([['disk', 'disk_io']]);

/** Throws a ConfigurationError for a name that is none. */
export function parseChaosTypes(written: string): readonly ChaosType[] {
  const names = written
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new ConfigurationError('chaosTypes', written, `must name at least one of ${CHAOS_TYPES.join(', ')}`);
  return [...new Set(names.map((name) => WRITTEN_AS.get(name) ?? checkOneOf('chaosTypes', name, CHAOS_TYPES)))];
}
