/** The emergency exit worker: takes up panics for one account, whatever else has failed, and beats so that trading may go on. */
import { type AlertSink, alertWithoutWaiting, silentAlerts } from '../alert/alert.js';
import { createAudit } from '../audit/audit.js';
import type { Broker } from '../broker/broker.js';
import { type Bus, BusUnavailableError, type Delivery } from '../bus/bus.js';
import { checkName } from '../checks.js';
import { type Clock, systemClock } from '../clock.js';
import { messageOf } from '../errors.js';
import { hostIdentity } from '../host.js';
import { isolatedLogger, type Logger } from '../logger.js';
import { DEFAULT_ACCOUNT, decodePanicClose, PANIC_CLOSE, type PanicClose, panicGroup } from '../messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat } from '../messages/peerBeat.js';
import type { TradingState } from '../messages/tradingState.js';
import { type Random, systemRandom } from '../random.js';
import { createHaltMemory, type HaltMemory } from '../tradingState/memory.js';
import { readTradingState } from '../tradingState/read.js';
import { ClaimDesk } from './claim.js';
import { ConditionWatch } from './condition.js';
import { HolderTail } from './holderTail.js';
import { Incident } from './incident.js';
import { type ExitTimings, resolveConcurrency, resolveTimings } from './options.js';
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
  readonly timings?: Partial<ExitTimings>;
  /** File in which uncleared halts and the highest epoch outlive this process. Default: they do not. */
  readonly memoryFile?: string;
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
  checkName('account', options.account ?? DEFAULT_ACCOUNT);
  resolveConcurrency(options.concurrency);
  resolveTimings(options.timings);
  return { workerId, run: (signal) => runWorker({ ...options, workerId }, parts, signal) };
}

async function runWorker(
  options: ExitWorkerOptions & { readonly workerId: string },
  parts: WorkerParts,
  signal: AbortSignal,
): Promise<void> {
  const { bus, broker, workerId, environment, clock = systemClock, random = systemRandom, account = DEFAULT_ACCOUNT } = options;
  const timings = resolveTimings(options.timings);
  const logger = isolatedLogger(options.logger);
  const memory = createHaltMemory({
    clock,
    logger,
    by: workerId,
    ...(options.memoryFile === undefined ? {} : { file: options.memoryFile }),
  });
  const { default: pLimit } = await import('p-limit');
  const limit = pLimit(resolveConcurrency(options.concurrency));
  const generation = random.id();
  const roll = new HolderTail(bus, clock, logger, account);
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
    audit: createAudit({ bus, actor: workerId, clock, logger }),
    alert: (alert) => alertWithoutWaiting(options.alert ?? silentAlerts, alert, logger),
    limit: (task) => limit(task),
    desk: new ClaimDesk(bus, clock, `${workerId}/${generation}`, timings.claimMs),
    roll,
    parts,
    signal,
  };
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
  const desk = new PanicDesk(context);
  await Promise.all([
    roll.run(signal),
    condition.run(signal),
    beat(context, generation, condition, memory),
    watchState(context, memory, desk),
    desk.run(),
  ]);
}

async function beat(context: WorkerContext, generation: string, condition: ConditionWatch, memory: HaltMemory): Promise<void> {
  const { bus, clock, timings, workerId, signal, logger } = context;
  const { host, bootId, pid } = hostIdentity();
  for (let sequence = 0; !signal.aborted; sequence++) {
    const fields = encodePeerBeat({
      peerId: workerId,
      generation,
      sequence,
      host,
      bootId,
      pid,
      epoch: memory.highestEpoch(),
      worker: condition.condition(),
    });
    const sent = await bus.append(EXIT_WORKER_HEARTBEAT, fields, { key: workerId, notAfterMs: clock.monotonicMs() + timings.beatMs });
    if (sent.outcome !== 'committed' && sent.outcome !== 'committed_unreplicated') logger.warn({ sent }, 'a beat did not reach the bus');
    await clock.sleep(timings.beatMs, signal);
  }
}

/** Remembers halts, adds forgotten ones again, and lets a re-arm supersede what it names. */
async function watchState(context: WorkerContext, memory: HaltMemory, desk: PanicDesk): Promise<void> {
  const { bus, clock, timings, signal, logger, alert } = context;
  let heardMs = clock.monotonicMs();
  let lost = false;
  while (!signal.aborted) {
    try {
      const { state } = await readTradingState(bus);
      if (memory.observe(state)) await memory.reassert(bus, { clock, audit: context.audit });
      heardMs = clock.monotonicMs();
      lost = false;
      await desk.supersede(state);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'the trading state cannot be read');
      if (!lost && clock.monotonicMs() - heardMs >= timings.busOutageMaxMs) {
        lost = true;
        const summary = `${context.account}: no contact to the bus for ${timings.busOutageMaxMs} ms`;
        alert({ kind: 'bus.lost', severity: 'critical', account: context.account, summary, details: {}, wallMs: clock.wallMs() });
      }
    }
    await clock.sleep(timings.beatMs, signal);
  }
}

/** Receives panics and keeps one incident for each failure. */
class PanicDesk {
  readonly #context: WorkerContext;
  readonly #incidents = new Map<string, Incident>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  async run(): Promise<void> {
    const { bus, account, clock, timings, workerId, signal, logger } = this.#context;
    const group = bus.group(PANIC_CLOSE, panicGroup(account));
    while (!signal.aborted) {
      try {
        const delivery = await group.next(workerId, { minIdleMs: timings.claimMs, blockMs: 500, signal });
        if (delivery !== undefined) await this.#receive(delivery);
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) logger.error({ error: messageOf(error) }, 'a panic could not be taken up');
        await clock.sleep(timings.pollMs, signal);
      }
    }
    for (const incident of this.#incidents.values()) incident.stop();
    await Promise.all(this.#tasks);
  }

  /** A re-arm has raised the epoch: what it superseded is no longer carried out. */
  async supersede(state: TradingState): Promise<void> {
    for (const incident of this.#incidents.values()) {
      if (incident.epoch >= state.epoch) continue;
      this.#incidents.delete(incident.id);
      incident.stop();
      await this.#audit('exit.superseded', `re-armed as epoch ${state.epoch}`, incident.id);
      await incident.acknowledge();
    }
  }

  async #receive(delivery: Delivery): Promise<void> {
    const { parts, bus, clock, account, timings } = this.#context;
    await parts.received(delivery);
    const decoded = decodePanicClose(delivery.record.fields);
    if (!decoded.ok) return this.#discard(delivery, 'panic.malformed', decoded.problem);
    const panic = decoded.value;
    const { state } = await readTradingState(bus);
    const decision = parts.judgePanic({ panic, state, account, wallMs: clock.wallMs() });
    if (decision.kind === 'other_account') {
      await delivery.ack();
      return undefined;
    }
    if (decision.kind === 'stale_epoch') {
      return this.#discard(delivery, 'panic.stale_epoch', `epoch ${panic.epoch} is over, now ${decision.currentEpoch}: ${panic.reason}`);
    }
    const ageMs = clock.wallMs() - panic.wallMs;
    if (ageMs > timings.panicAgeAlarmMs)
      this.#alarm('panic.old', `a panic ${Math.round(ageMs / 1_000)} s old is carried out: ${panic.reason}`);
    this.#join(decision.incident, decision.epoch, panic, delivery);
    return undefined;
  }

  #join(id: string, epoch: number, panic: PanicClose, delivery: Delivery): void {
    if (this.#incidents.get(id)?.join(delivery) === true) return;
    const incident = new Incident(this.#context, id, epoch, panic);
    incident.join(delivery);
    this.#incidents.set(id, incident);
    const task = incident.run().then(() => {
      this.#tasks.delete(task);
      if (this.#incidents.get(id) === incident) this.#incidents.delete(id);
    });
    this.#tasks.add(task);
  }

  async #discard(delivery: Delivery, event: string, cause: string): Promise<undefined> {
    this.#alarm(event, cause);
    await this.#audit(event, cause, undefined);
    await delivery.ack();
    return undefined;
  }

  #alarm(kind: string, summary: string): void {
    const { account, alert, clock } = this.#context;
    alert({ kind, severity: 'critical', account, summary, details: {}, wallMs: clock.wallMs() });
  }

  async #audit(event: string, cause: string, incident: string | undefined): Promise<void> {
    await this.#context.audit.record({ event, cause, details: {}, ...(incident === undefined ? {} : { incident }) });
  }
}
