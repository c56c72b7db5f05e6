/** The alert sinks that an operator asks for, put together. */
import { type AlertSink, combineAlerts } from '../alert/alert.js';
import { commandAlert } from '../alert/commandAlert.js';
import { webhookAlert } from '../alert/webhookAlert.js';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';

export interface AlertConfig {
  /** An http or https URL that gets each alert as a POST. */
  readonly webhook?: string;
  /** A program and its arguments; it gets each alert as JSON on its standard input. */
  readonly command?: readonly string[];
}

/** Undefined where nobody is to be told. Throws a ConfigurationError for a sink that cannot be. */
export function alertSink(config: AlertConfig | undefined, clock: Clock, logger: Logger): AlertSink | undefined {
  const sinks: AlertSink[] = [];
  if (config?.webhook !== undefined) sinks.push(webhookAlert(config.webhook, { clock, logger }));
  if (config?.command !== undefined) sinks.push(commandAlert(config.command, { clock, logger }));
  return sinks.length === 0 ? undefined : combineAlerts(...sinks);
}
