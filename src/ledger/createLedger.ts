/** Makes a ledger. Its arithmetic is loaded here, when one is asked for: the root import stays light. */
import type { Ledger } from './ledger.js';
import { checkLedgerOptions, type LedgerOptions } from './options.js';

/**
 * Throws a ConfigurationError for options that cannot hold, and for a snapshot that is damaged or of an unknown version: a ledger that
 * began empty instead would have forgotten a streak of losses.
 */
export async function createLedger(options: LedgerOptions = {}): Promise<Ledger> {
  const checked = checkLedgerOptions(options);
  const { FifoLedger } = await import('./fifoLedger.js');
  return new FifoLedger(checked);
}
