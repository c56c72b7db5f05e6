/** The venue's options, their defaults and bounds. */
import { checkInteger, checkName } from '../checks.js';
import { ConfigurationError } from '../errors.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';

export const DEFAULT_ENVIRONMENT = 'paper';
export const VENUE_HOST = '127.0.0.1';

export interface VenueOptions {
  /** Default 0: any free port, which the answered URL names. */
  readonly port?: number;
  /** Path of a CSV of price bars. Default: one bar at 100 that never moves. */
  readonly bars?: string;
  /** What the venue says that it is. Default `paper`. */
  readonly environment?: string;
  /** Accounts open from the start. Default: the default account. Others are opened by seeding them. */
  readonly accounts?: readonly string[];
}

export interface CheckedVenueOptions {
  readonly port: number;
  readonly bars: string | undefined;
  readonly environment: string;
  readonly accounts: readonly string[];
}

/** Throws a ConfigurationError that names field, value and bound. */
export function checkVenueOptions(options: VenueOptions): CheckedVenueOptions {
  const accounts = options.accounts ?? [DEFAULT_ACCOUNT];
  if (accounts.length === 0) throw new ConfigurationError('accounts', accounts, 'must name at least one account');
  return {
    port: checkInteger('port', options.port ?? 0, { min: 0, max: 65_535 }),
    bars: options.bars,
    environment: checkName('environment', options.environment ?? DEFAULT_ENVIRONMENT),
    accounts: accounts.map((name, index) => checkName(`accounts.${index}`, name)),
  };
}
