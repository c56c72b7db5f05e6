/** What a command is, and the options that several share. */
import type { Clock } from '../clock.js';
import type { ExitCode } from '../process/exit.js';
import type { Output } from '../process/output.js';
import type { ArgumentSpec, OptionTable, Values } from './options.js';

export interface CommandContext {
  readonly output: Output;
  readonly clock: Clock;
  /** Aborts at the first SIGINT or SIGTERM, for a command that handles them. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More for its own help: what it does and what it does not, and its exit codes. */
  readonly details?: readonly string[];
  readonly options: OptionTable;
  /** One word without dashes that follows its name. */
  readonly argument?: ArgumentSpec;
  /** It ends in order at SIGINT and SIGTERM by itself. The others end at once, as programs do. */
  readonly handlesSignals?: boolean;
  run(values: Values, context: CommandContext): Promise<ExitCode>;
}

export const DEFAULT_BUS = 'journal:./var/failflat';

export const busOption = {
  bus: { type: 'text', value: 'URL', env: 'FAILFLAT_BUS', default: DEFAULT_BUS, help: 'the bus: journal:DIRECTORY or a Redis URL' },
} as const satisfies OptionTable;

export const brokerOptions = {
  broker: {
    type: 'text',
    value: 'BROKER',
    env: 'FAILFLAT_BROKER',
    help: 'paper:URL of a paper venue, or the path of a module, like ./my-broker.mjs',
  },
  account: { type: 'text', value: 'NAME', env: 'FAILFLAT_ACCOUNT', default: 'default', help: 'the account at the broker' },
  environment: { type: 'text', value: 'NAME', help: 'what the venue must call itself, like paper or production (default: not compared)' },
  'broker-timeout': {
    type: 'duration',
    value: 'DURATION',
    min: 1,
    help: 'when a call to the broker surely ends (default 2s, divided by --scale)',
  },
} as const satisfies OptionTable;

export const jsonOption = {
  json: { type: 'flag', help: 'print JSON for programs instead of words' },
} as const satisfies OptionTable;

/** Options of an object with those left out whose value is undefined. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key of Object.keys(options)) {
    const value: unknown = Reflect.get(options, key);
    if (value !== undefined) Object.assign(kept, { [key]: value });
  }
  return kept;
}
