/** The environment variables that failflat reads, and the one place that reads them. */

export const ENVIRONMENT_VARIABLES = ['FAILFLAT_BUS', 'FAILFLAT_BROKER', 'FAILFLAT_ACCOUNT', 'NO_COLOR'] as const;

export type EnvironmentVariable = (typeof ENVIRONMENT_VARIABLES)[number];

/** Undefined where it is not set. An empty value is a value: the reader says whether it can hold. */
export function environmentVariable(name: EnvironmentVariable): string | undefined {
  return process.env[name];
}
