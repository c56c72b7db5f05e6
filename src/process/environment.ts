/** The environment variables that failflat reads, and the one place that reads them. */
import type { StrategyBreakersConfig } from '../breakers/config.js';
import { breakersFrom } from '../breakers/environment.js';

/** Those of the commands. */
export const ENVIRONMENT_VARIABLES = ['FAILFLAT_BUS', 'FAILFLAT_BROKER', 'FAILFLAT_ACCOUNT', 'REDIS_SERVER', 'NO_COLOR'] as const;

/** Those of a kill switch that is asked to read them. */
export const KILL_SWITCH_VARIABLES = ['EXECUTION_HALTED', 'EXEC_KILL_SWITCH', 'EXECUTION_HALTED_FILE', 'EXEC_KILL_SWITCH_FILE'] as const;

export type EnvironmentVariable = (typeof ENVIRONMENT_VARIABLES)[number];
export type KillSwitchVariable = (typeof KILL_SWITCH_VARIABLES)[number];

/** Undefined where it is not set. An empty value is a value: the reader says whether it can hold. */
export function environmentVariable(name: EnvironmentVariable | KillSwitchVariable): string | undefined {
  return process.env[name];
}

/** The configuration of breakers as the environment of this process says it. Throws `ConfigurationError` for a value that cannot hold. */
export function breakersFromEnvironment(): StrategyBreakersConfig {
  return breakersFrom((name) => process.env[name]);
}

/** Where this process, and everyone that it starts from now on, makes temporary files. Answers what takes that back. */
export function useTemporaryDirectory(path: string): () => void {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = path;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  };
}

/** The environment of a process that is started from here, with more in it. */
export function environmentWith(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...more };
}
