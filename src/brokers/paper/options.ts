/** Options of the paper venue's clients, their defaults and bounds. */
import { checkDurationMs, checkName, checkText } from '../../checks.js';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigurationError } from '../../errors.js';

export const DEFAULT_TIMEOUT_MS = 2_000;
export const DEFAULT_SOURCE = 'unknown';

export interface PaperBrokerOptions {
  /** For instance `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly account: string;
  /** If given, a venue of another environment refuses reads and orders; `identity()` says which it is. Default: not compared. */
  readonly environment?: string;
  /** A call that has no answer by then ends, its fate unknown. It is what a holder registers as `brokerTimeoutMs`. Default 2,000. */
  readonly timeoutMs?: number;
  /** Who sends: the venue's books carry it. Default `unknown`. */
  readonly source?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export function checkVenueUrl(field: string, value: unknown): string {
  const bound = 'must be an http URL with a port, like http://127.0.0.1:4000';
  const text = checkText(field, value);
  if (!URL.canParse(text)) throw new ConfigurationError(field, value, bound);
  const { protocol, port, pathname, search } = new URL(text);
  if (protocol !== 'http:' || port === '' || pathname !== '/' || search !== '') throw new ConfigurationError(field, value, bound);
  return text;
}

export interface CheckedPaperBrokerOptions extends Required<Omit<PaperBrokerOptions, 'environment'>> {
  readonly environment: string | undefined;
}

/** Throws a ConfigurationError that names field, value and bound. */
export function checkPaperBrokerOptions(options: PaperBrokerOptions): CheckedPaperBrokerOptions {
  return {
    url: checkVenueUrl('url', options.url),
    account: checkName('account', options.account),
    environment: options.environment === undefined ? undefined : checkName('environment', options.environment),
    timeoutMs: checkDurationMs('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS, { min: 1 }),
    source: checkName('source', options.source ?? DEFAULT_SOURCE),
    clock: options.clock ?? systemClock,
  };
}
