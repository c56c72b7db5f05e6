/** What an exit worker is given, checked before it is made, and what it offers. */
import type { AlertSink } from '../alert/alert.js';
import type { Broker } from '../broker/broker.js';
import type { Bus } from '../bus/bus.js';
import { checkName, checkOneOf } from '../checks.js';
import type { Clock } from '../clock.js';
import type { DurableFiles } from '../durableFile.js';
import { ConfigurationError } from '../errors.js';
import type { HostIdentity } from '../host.js';
import type { Logger } from '../logger.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import { type Random, systemRandom } from '../random.js';
import { BUS_LOST_POLICIES, type BusLostPolicy, type ExitTimings, resolveConcurrency, resolveTimings } from './options.js';

export interface ExitWorkerOptions {
  readonly bus: Bus;
  readonly broker: Broker;
  /** The account to close. Default `default`. */
  readonly account?: string;
  /** What the venue must call itself (`paper`, `testnet`, `production`). Default: not checked, the account alone must match. */
  readonly environment?: string;
  /** Name of this worker; another worker of the same account needs another name. Default: made up at start. */
  readonly workerId?: string;
  /** Closes at the same time. Default 10. */
  readonly concurrency?: number;
  /** Timings that differ from their defaults. */
  readonly timings?: Partial<ExitTimings>;
  /** File in which uncleared halts and the highest epoch outlive this process. Default: they do not. */
  readonly memoryFile?: string;
  /** Where `memoryFile` is kept. Default: the file system. */
  readonly files?: DurableFiles;
  /** Which process this is, for its beats. Default: what the operating system says. */
  readonly self?: HostIdentity;
  /**
   * When the bus has been away for `timings.busOutageMaxMs`: `escalate` tells people; `flatten` also closes the book, under a
   * local incident that halts trading again when the bus returns. Needs `memoryFile`, and one worker of the account or a
   * venue that refuses a second order by its id or caps it. Default `escalate`.
   */
  readonly onBusLost?: BusLostPolicy;
  /** Told straight from here, never through the bus. Default: nobody. */
  readonly alert?: AlertSink;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

export interface ExitWorker {
  readonly workerId: string;
  /** Works until the signal aborts. Never ends for want of a bus or a venue. */
  run(signal: AbortSignal): Promise<void>;
}

export type CheckedWorkerOptions = ExitWorkerOptions &
  Required<Pick<ExitWorkerOptions, 'workerId' | 'account' | 'concurrency' | 'onBusLost' | 'random'>> & { readonly timings: ExitTimings };

/** Throws {@link ConfigurationError} for options that cannot hold. */
export function checkWorkerOptions(options: ExitWorkerOptions): CheckedWorkerOptions {
  const { random = systemRandom } = options;
  const workerId = checkName('workerId', options.workerId ?? `exit-worker-${random.id().slice(0, 8)}`);
  const account = checkName('account', options.account ?? DEFAULT_ACCOUNT);
  const concurrency = resolveConcurrency(options.concurrency);
  const timings = resolveTimings(options.timings);
  const onBusLost = checkOneOf('onBusLost', options.onBusLost ?? 'escalate', BUS_LOST_POLICIES);
  if (onBusLost === 'flatten' && options.memoryFile === undefined)
    throw new ConfigurationError(
      'memoryFile',
      undefined,
      'must be given with onBusLost = "flatten": a local incident must outlive a restart',
    );
  return { ...options, workerId, account, concurrency, timings, onBusLost, random };
}
