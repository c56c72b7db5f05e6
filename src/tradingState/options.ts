/** Defaults of the trading state, and what its functions are given to work with. */
import type { Audit } from '../audit/audit.js';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Random } from '../random.js';

/** How long a halt is tried before its caller is told that the outcome is unknown. */
export const HALT_TIMEOUT_MS = 5_000;
/** Between attempts to change the state where the bus did not answer. */
export const STATE_RETRY_MS = 50;
/** How long trading stays REDUCING before it is armed: those who watch must show progress meanwhile. */
export const REARM_DWELL_MS = 5_000;
/** How long beats are observed before a re-arm is planned or a status is told: a little over two beats of an exit brain. */
export const OBSERVE_MS = 2_500;

/** What every function that changes the trading state may be given. */
export interface StateDeps {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Default: the system's generator. */
  readonly random?: Random;
  /** Default: a record keeper of its own, named after who acts. */
  readonly audit?: Pick<Audit, 'record'>;
  readonly logger?: Logger;
  /** How long a change is tried. Default {@link HALT_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Between attempts. Default {@link STATE_RETRY_MS}. */
  readonly retryMs?: number;
}
