/** What the venue can do, asked until it says so. */
import type { Broker, BrokerCapabilities } from '../broker/broker.js';
import type { Clock } from '../clock.js';
import { settleWithin } from '../deadline.js';
import { messageOf } from '../errors.js';
import type { ExitLedger } from './ledger.js';
import type { ExitTimings } from './options.js';
import type { VenueReach } from './venueReach.js';

const LONGEST_PAUSE_MS = 1_000;

export interface CapabilitiesQuestion {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly ledger: Pick<ExitLedger, 'note'>;
  readonly signal: AbortSignal;
  readonly timings: Pick<ExitTimings, 'pollMs' | 'readTimeoutMs'>;
}

/** Undefined where it may not go on asking. */
export async function readCapabilities(
  { broker, clock, ledger, signal, timings }: CapabilitiesQuestion,
  reach: VenueReach,
  mayGoOn: () => boolean,
): Promise<BrokerCapabilities | undefined> {
  for (let pauseMs = timings.pollMs; mayGoOn(); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const askedMs = clock.monotonicMs();
    try {
      const answer = await settleWithin(clock, broker.capabilities(signal), timings.readTimeoutMs);
      if (answer.settled) {
        reach.answered();
        return answer.value;
      }
      ledger.note('exit.read_failed', 'venue capabilities: no answer', {});
    } catch (error) {
      ledger.note('exit.read_failed', 'venue capabilities could not be read', { error: messageOf(error) });
    }
    reach.failed(askedMs);
    await clock.sleep(pauseMs, signal);
  }
  return undefined;
}
