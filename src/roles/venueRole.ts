/** Runs the paper venue as a process of its own. */
import { hostIdentity } from '../host.js';
import { runVenue } from '../venue/command.js';
import type { VenueOptions } from '../venue/options.js';
import { type RoleDeps, untilAborted } from './role.js';

export type VenueRoleConfig = VenueOptions;

/** Runs until the signal aborts; the books are gone with it. Throws ConfigurationError for a wrong option, bar file or port. */
export async function runVenueRole(config: VenueRoleConfig, deps: RoleDeps): Promise<void> {
  const { signal, clock, logger } = deps;
  const venue = await runVenue(config, { clock, logger });
  try {
    deps.onReady?.({ ready: 'venue', id: config.environment ?? 'paper', pid: hostIdentity().pid, url: venue.url });
    await untilAborted(signal);
  } finally {
    await venue.close();
  }
}
