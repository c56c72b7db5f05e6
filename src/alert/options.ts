/** The options of the alert sinks, their defaults and bounds. */
import { checkDurationMs, checkText } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { isolatedLogger, type Logger } from '../logger.js';

export const DEFAULT_WEBHOOK_TIMEOUT_MS = 1_000;
export const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;

export interface WebhookAlertOptions {
  /** The longest wait for one attempt; there are two. Default: 1,000 ms. */
  readonly timeoutMs?: number;
  /** Sent along, for a receiver that asks for a token. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface CommandAlertOptions {
  /** The command is killed after this long. Default: 5,000 ms. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export function checkWebhookUrl(value: unknown): URL {
  const text = checkText('alert.url', value);
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new ConfigurationError('alert.url', value, `must be an http or https URL (${messageOf(error)})`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ConfigurationError('alert.url', value, 'must be an http or https URL');
  return url;
}

export function checkCommand(value: unknown): readonly [string, ...string[]] {
  if (!Array.isArray(value) || !value.every((word): word is string => typeof word === 'string')) {
    throw new ConfigurationError('alert.command', value, 'must be a list of texts: the program and its arguments');
  }
  const [program, ...args] = value;
  return [checkText('alert.command[0]', program), ...args];
}

interface CheckedSinkOptions {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function checkSinkOptions(options: WebhookAlertOptions | CommandAlertOptions, defaultTimeoutMs: number): CheckedSinkOptions {
  return {
    timeoutMs: checkDurationMs('alert.timeoutMs', options.timeoutMs ?? defaultTimeoutMs, { min: 1, max: 60_000 }),
    clock: options.clock ?? systemClock,
    logger: isolatedLogger(options.logger),
  };
}
