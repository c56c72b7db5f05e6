/** The emergency exit worker: takes up panics for one account, whatever else has failed, and beats so that trading may go on. */
import { type AlertSink, alertWithoutWaiting, silentAlerts } from '../alert/alert.js';
import { createAudit } from '../audit/audit.js';
import type { Broker } from '../broker/broker.js';
import { type Bus, BusDoubtError, isCommitted } from '../bus/bus.js';
import { checkName, checkOneOf } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { type DurableFiles, systemFiles } from '../durableFile.js';
import { ConfigurationError, messageOf } from '../errors.js';
import { type HostIdentity, hostIdentity } from '../host.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { accountOf, DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat } from '../messages/peerBeat.js';
import type { TradingState } from '../messages/tradingState.js';
import { type Random, systemRandom } from '../random.js';
import { createHaltMemory, type HaltMemory } from '../tradingState/memory.js';
import { readTradingState } from '../tradingState/read.js';
import { BUS_LOST_POLICIES, BusLoss, type BusLostPolicy } from './busLoss.js';
import { BusNames } from './busNames.js';
import { ClaimDesk } from './claim.js';
import { CloseMemory } from './closeMemory.js';
import { ConditionWatch } from './condition.js';
import { HolderTail } from './holderTail.js';
import { type ExitTimings, resolveConcurrency, resolveTimings } from './options.js';
import { PanicDesk } from './panicDesk.js';
import { intactWorkerParts, type WorkerContext, type WorkerParts } from './workerContext.js';

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

/** Throws {@link ConfigurationError} for options that cannot hold. */
export function createExitWorker(options: ExitWorkerOptions): ExitWorker {
  return assembleExitWorker(options, intactWorkerParts);
}

/** For compositions that replace a part; production code calls {@link createExitWorker}. */
export function assembleExitWorker(options: ExitWorkerOptions, parts: WorkerParts): ExitWorker {
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
  return {
    workerId,
    run: (signal) => {
      const { files = systemFiles, self = hostIdentity() } = options;
      return runWorker({ ...options, workerId, account, concurrency, timings, onBusLost, random, files, self }, parts, signal);
    },
  };
}

type CheckedWorkerOptions = ExitWorkerOptions &
  Required<Pick<ExitWorkerOptions, 'workerId' | 'account' | 'concurrency' | 'onBusLost' | 'random' | 'files' | 'self'>> & {
    readonly timings: ExitTimings;
  };

async function runWorker(options: CheckedWorkerOptions, parts: WorkerParts, signal: AbortSignal): Promise<void> {
  const { bus, broker, workerId, account, environment, timings, clock = systemClock, random, files, self } = options;
  const logger = isolatedLogger(options.logger);
  const memory = createHaltMemory({
    clock,
    logger,
    by: workerId,
    files,
    ...(options.memoryFile === undefined ? {} : { file: options.memoryFile }),
  });
  const { default: pLimit } = await import('p-limit');
  const limit = pLimit(options.concurrency);
  const limitCancels = pLimit(options.concurrency);
  const generation = random.id();
  const holders = new HolderTail(bus, clock, logger, account);
  const condition = new ConditionWatch({
    broker,
    account,
    environment,
    clock,
    logger,
    readBook: parts.exit.readBook,
    refreshMs: timings.bookRefreshMs,
    readTimeoutMs: timings.readTimeoutMs,
  });
  const context: WorkerContext = {
    bus,
    broker,
    account,
    environment,
    workerId,
    timings,
    clock,
    random,
    logger,
    audit: createAudit({ bus, actor: workerId, clock, logger, random, self }),
    alert: (alert) => alertWithoutWaiting(options.alert ?? silentAlerts, alert, logger),
    limit: (task) => limit(task),
    limitCancels: (task) => limitCancels(task),
    remembered: new CloseMemory(),
    claims: new ClaimDesk(bus, clock, `${workerId}/${generation}`, timings.claimMs),
    names: new BusNames(bus, clock, random, account),
    holders,
    condition,
    parts,
    signal,
  };
  const panics = new PanicDesk(context);
  const localFile = options.memoryFile === undefined ? undefined : `${options.memoryFile}.local-incident`;
  const loss = new BusLoss(context, options.onBusLost, localFile, files);
  await Promise.all([
    holders.run(signal),
    condition.run(signal),
    beat(context, { generation, ...self }, { memory, loss, panics }),
    watchState(context, memory, panics, loss),
    panics.run(),
  ]);
}

interface BeatSources {
  readonly memory: HaltMemory;
  readonly loss: BusLoss;
  readonly panics: PanicDesk;
}

async function beat(
  context: WorkerContext,
  life: HostIdentity & { readonly generation: string },
  { memory, loss, panics }: BeatSources,
): Promise<void> {
  const { bus, clock, condition, timings, workerId, signal, logger } = context;
  const { generation, host, bootId, pid } = life;
  for (let sequence = 0; !signal.aborted; ) {
    if (panics.isDeaf()) {
      loss.unwritten();
      await clock.sleep(Math.min(timings.beatMs, timings.pollMs), signal);
      continue;
    }
    const fields = encodePeerBeat({
      peerId: workerId,
      generation,
      sequence: sequence++,
      host,
      bootId,
      pid,
      epoch: memory.highestEpoch(),
      worker: condition.condition(),
    });
    const sent = await bus.append(EXIT_WORKER_HEARTBEAT, fields, { key: workerId, notAfterMs: clock.monotonicMs() + timings.beatMs });
    if (isCommitted(sent)) loss.wrote();
    else {
      loss.unwritten();
      logger.warn({ sent }, 'a beat did not reach the bus');
    }
    await clock.sleep(timings.beatMs, signal);
  }
}

/** What others are at work on: each open incident stands in the state with its halt. */
async function watchClaims({ claims, account }: WorkerContext, state: TradingState): Promise<void> {
  for (const { kind, incident } of state.halts) {
    if (kind === 'exit' && incident !== undefined && accountOf(incident) === account) await claims.watch(incident);
  }
}

/** Remembers halts, adds forgotten ones again, and lets a re-arm supersede what it names. */
async function watchState(context: WorkerContext, memory: HaltMemory, panics: PanicDesk, loss: BusLoss): Promise<void> {
  const { bus, clock, timings, signal, logger } = context;
  while (!signal.aborted) {
    try {
      const reading = await readTradingState(bus);
      const { state } = reading;
      // A bus that cannot tell its name yet is watched all the same.
      await context.names.heard(reading).catch((error: unknown) => logger.debug({ error: messageOf(error) }, 'the bus has no name yet'));
      if (memory.observe(state)) await memory.reassert(bus, { clock, audit: context.audit });
      await loss.heard(state);
      await panics.supersede(state);
      await watchClaims(context, state);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the trading state cannot be read');
      // A state that cannot be understood was read all the same: the bus is there.
      if (!(error instanceof BusDoubtError)) loss.silent();
    }
    await clock.sleep(timings.beatMs, signal);
  }
  await loss.close();
}
