/** Says of a wrong value where the operator wrote it: on the command line or in the environment. */
import type { BusUnsuitableError } from '../bus/bus.js';
import { withoutSecrets } from '../bus/withoutSecrets.js';
import { ConfigurationError } from '../errors.js';
import type { OptionTable, Values } from './options.js';

/** Options whose name on the command line is not the name of the field. */
const OPTION_OF_FIELD: ReadonlyMap<string, string> = new Map([
  ['serviceId', 'service'],
  ['watchdogId', 'id'],
  ['workerId', 'id'],
  ['brokerTimeoutMs', 'broker-timeout'],
  ['timeoutMs', 'broker-timeout'],
  ['decideMs', 'decide-every'],
  ['alert.url', 'alert-webhook'],
  ['alert.command', 'alert-command'],
  ['alert.command[0]', 'alert-command'],
  ['rules.missingMs', 'missing-after'],
  ['rules.degradedMs', 'degraded-after'],
  ['rules.decisionStaleMs', 'decision-stale-after'],
  ['rules.unguardedMs', 'unguarded-after'],
  ['memoryFile', 'memory-file'],
  ['accounts.0', 'account'],
  ['scope', 'account'],
  ['outputDirectory', 'output-dir'],
  ['chaosTypes', 'chaos-types'],
  ['outputReport', 'output-report'],
]);

export function explainField(error: ConfigurationError, table: OptionTable, values: Values): string {
  const option = OPTION_OF_FIELD.get(error.field) ?? error.field;
  if (!Object.hasOwn(table, option)) return error.message;
  return new ConfigurationError(values.origin(option), error.value, error.bound).message;
}

/** A place where no bus can be kept is a wrong value as well, wherever the operator named it. */
export function explainPlace({ message }: BusUnsuitableError, values: Values): string {
  const given = values.text('bus');
  if (given === undefined) return message;
  const url = withoutSecrets(given);
  const bound = message.startsWith(`${url}: `) ? message.slice(url.length + 2) : message;
  return new ConfigurationError(values.origin('bus'), url, bound).message;
}
