/** What the commands that run a role have in common. */
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import { EXIT_CODES, type ExitCode } from '../process/exit.js';
import { createLog, LOG_LEVELS, type LogLevel } from '../process/log.js';
import type { AlertConfig } from '../roles/alerts.js';
import type { RoleDeps, RoleName, RoleReady } from '../roles/role.js';
import { SCALE_MAX } from '../roles/scale.js';
import { type CommandContext, given } from './command.js';
import type { OptionTable, Values } from './options.js';

export const logOption = {
  'log-level': {
    type: 'text',
    value: 'LEVEL',
    oneOf: LOG_LEVELS,
    default: 'info',
    help: `what to log on standard error: ${LOG_LEVELS.join(', ')}`,
  },
} as const satisfies OptionTable;

export const scaleOption = {
  scale: {
    type: 'number',
    value: 'K',
    min: 1,
    max: SCALE_MAX,
    default: 1,
    help: 'divides every threshold, interval, lease, claim and broker timeout',
  },
} as const satisfies OptionTable;

export const alertOptions = {
  'alert-webhook': { type: 'text', value: 'URL', help: 'gets each alert as a POST of JSON' },
  'alert-command': { type: 'text', value: 'COMMAND', help: 'gets each alert as JSON on its standard input; split at spaces, no shell' },
} as const satisfies OptionTable;

export const memoryOption = {
  'memory-file': {
    type: 'text',
    value: 'FILE',
    help: 'where halts are remembered across restarts (default: in the directory of the journal)',
  },
} as const satisfies OptionTable;

export function alertConfig(values: Values): AlertConfig {
  const command = values.text('alert-command')?.trim().split(/\s+/);
  return given({ webhook: values.text('alert-webhook'), command });
}

function logLevel(written: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === written) ?? 'info';
}

/** The bus of a role or of an operator's command: one that other processes share. */
export function sharedBus(values: Values): string {
  const bus = values.required('bus', 'which bus to use');
  if (bus.startsWith('memory:'))
    throw new ConfigurationError('bus', bus, 'must be a bus that several processes share, like journal:DIRECTORY');
  return bus;
}

function announce({ ready, id, pid, bus, url }: RoleReady): string {
  const where = [bus === undefined ? '' : ` on ${bus}`, url === undefined ? '' : ` listens on ${url}`].join('');
  return `${ready} ${id}${url === undefined ? ' is at work' : ''}${where}, process ${pid}. SIGTERM or Ctrl-C ends it in order.`;
}

const NOBODY_TOLD = 'NOBODY IS ALERTED by this process: give --alert-webhook or --alert-command.';

function tellsNobody(name: RoleName, values: Values): boolean {
  if (name !== 'watchdog' && name !== 'exit-worker') return false;
  const { webhook, command } = alertConfig(values);
  return webhook === undefined && command === undefined;
}

/** Runs a role until a signal ends it. */
export async function runRole(
  name: RoleName,
  values: Values,
  context: CommandContext,
  role: (deps: RoleDeps & { readonly logger: Logger }) => Promise<void>,
): Promise<ExitCode> {
  const logger = await createLog({ level: logLevel(values.text('log-level')), name });
  const { output, clock, signal } = context;
  const onReady = (ready: RoleReady) => {
    output.out(values.flag('json') ? JSON.stringify(ready) : announce(ready));
    if (!values.flag('json') && tellsNobody(name, values)) output.out(NOBODY_TOLD);
  };
  await role({ signal, clock, logger, onReady });
  return signal.aborted ? EXIT_CODES.ok : EXIT_CODES.couldNotRun;
}
