/** What a watchdog offers and tells of itself. */
import type { PanicClose } from '../messages/panicClose.js';
import type { ServiceObservation, Suspicion } from './rules/rule.js';
import type { SelfDoubt } from './selfDoubt.js';

export interface WatchdogStatus {
  readonly watchdogId: string;
  /** Why it accuses nobody now; undefined: it is sure of itself. */
  readonly doubt: SelfDoubt['doubt'];
  readonly epoch: number;
  readonly services: readonly (ServiceObservation & { readonly suspicion?: Suspicion })[];
  /** Panics not known to be completed. */
  readonly openPanics: readonly PanicClose[];
}

export interface Watchdog extends AsyncDisposable {
  readonly watchdogId: string;
  /** Watches until `signal` aborts or `close` is called. Never rejects because of the bus. */
  run(signal?: AbortSignal): Promise<void>;
  status(): WatchdogStatus;
  close(): Promise<void>;
}
