/** The emergency exit worker at work: takes up panics for one account, whatever else has failed, and beats so that trading may go on. */
import { alertWithoutWaiting, silentAlerts } from '../alert/alert.js';
import { createAudit } from '../audit/audit.js';
import { BusDoubtError, isCommitted } from '../bus/bus.js';
import { systemClock } from '../clock.js';
import { systemFiles } from '../durableFile.js';
import { messageOf } from '../errors.js';
import { type HostIdentity, hostIdentity } from '../host.js';
import { isolatedLogger } from '../logger.js';
import { accountOf } from '../messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat } from '../messages/peerBeat.js';
import type { TradingState } from '../messages/tradingState.js';
import { createHaltMemory, type HaltMemory } from '../tradingState/memory.js';
import { readTradingState } from '../tradingState/read.js';
import { BusLoss } from './busLoss.js';
import { BusNames } from './busNames.js';
import { ClaimDesk } from './claim.js';
import { CloseMemory } from './closeMemory.js';
import { ConditionWatch } from './condition.js';
import { HolderTail } from './holderTail.js';
import { blockMsOf } from './options.js';
import { PanicDesk } from './panicDesk.js';
import { intactWorkerParts, type WorkerContext, type WorkerParts } from './workerContext.js';
import { type CheckedWorkerOptions, checkWorkerOptions, type ExitWorker, type ExitWorkerOptions } from './workerOptions.js';

/** For compositions that replace a part; production code calls `createExitWorker`. */
export function assembleExitWorker(options: ExitWorkerOptions, parts: WorkerParts = intactWorkerParts): ExitWorker {
  const checked = checkWorkerOptions(options);
  return { workerId: checked.workerId, run: (signal) => runWorker(checked, parts, signal) };
}

async function runWorker(options: CheckedWorkerOptions, parts: WorkerParts, signal: AbortSignal): Promise<void> {
  const { files = systemFiles, self = hostIdentity() } = options;
  const { bus, broker, workerId, account, environment, timings, clock = systemClock, random } = options;
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
  const holders = new HolderTail(bus, clock, logger, account, blockMsOf(timings));
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
