/** What `--help` prints: the list of commands, the options of one, the environment and the exit codes. */
import type { EnvironmentVariable } from '../process/environment.js';
import type { Command } from './command.js';
import { showDuration } from './duration.js';
import type { OptionSpec, OptionTable } from './options.js';

/** Every environment variable that a command reads. An option on the command line goes before it. */
export const ENVIRONMENT_HELP: Readonly<Record<EnvironmentVariable, string>> = {
  FAILFLAT_BUS: 'the bus, where --bus is not given',
  FAILFLAT_BROKER: 'the broker, where --broker is not given',
  FAILFLAT_ACCOUNT: 'the account, where --account is not given',
  REDIS_SERVER: 'the redis-server that a drill starts (default: the installed one, or one that is fetched)',
  NO_COLOR: 'set to anything: no colours',
};

const EXIT_HELP: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'a verdict that is red on evidence'],
  ['2', 'wrong usage or configuration'],
  ['3', 'it could not be done or judged here'],
];

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function defaultOf(spec: OptionSpec): string {
  if (!('default' in spec) || spec.default === undefined) return '';
  return ` (default ${typeof spec.default === 'number' && spec.type === 'duration' ? showDuration(spec.default) : spec.default})`;
}

function optionRows(table: OptionTable): (readonly [string, string])[] {
  const rows = Object.entries(table).map(([name, spec]): readonly [string, string] => {
    const value = spec.type === 'flag' ? '' : ` ${spec.value ?? 'VALUE'}`;
    return [`--${name}${value}`, `${spec.help}${defaultOf(spec)}${spec.env === undefined ? '' : ` [${spec.env}]`}`];
  });
  return [...rows, ['--help', 'print this']];
}

export function commandHelp(command: Command): string {
  return [
    `Usage: failflat ${command.name}${command.argument === undefined ? '' : ` ${command.argument.value}`} [options]`,
    '',
    `${command.summary[0]?.toUpperCase() ?? ''}${command.summary.slice(1)}.`,
    ...(command.details ?? []),
    '',
    'Options',
    ...columns(optionRows(command.options)),
    '',
    'Durations are written with their unit: 750ms, 90s, 2m, 1h.',
  ].join('\n');
}

export function generalHelp(commands: readonly Command[]): string {
  return [
    'Usage: failflat COMMAND [options]',
    '',
    'When something breaks, trading stops and the book goes flat, provably.',
    '',
    'Commands',
    ...columns(commands.map(({ name, summary }) => [name, summary] as const)),
    '',
    'failflat COMMAND --help tells the options of a command; failflat --version the version.',
    '',
    'Environment',
    ...columns(Object.entries(ENVIRONMENT_HELP)),
    '',
    'Exit codes',
    ...columns(EXIT_HELP),
  ].join('\n');
}
