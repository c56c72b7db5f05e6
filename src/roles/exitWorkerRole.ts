/** Runs an emergency exit worker as a process of its own. */
import { openBroker } from '../brokers/openBroker.js';
import { checkName } from '../checks.js';
import type { BusLostPolicy, ExitTimings } from '../emergencyExit/options.js';
import { createExitWorker } from '../emergencyExit/worker.js';
import type { ExitWorkerOptions } from '../emergencyExit/workerOptions.js';
import { hostIdentity } from '../host.js';
import { DEFAULT_ACCOUNT } from '../messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT } from '../messages/peerBeat.js';
import { type AlertConfig, alertSink } from './alerts.js';
import { defaultId, runUnderName } from './identity.js';
import { prepareMemoryFile } from './memoryFile.js';
import { type BrokerSeams, type BusSeams, type RoleDeps, withBroker, withBus } from './role.js';
import { checkCloseTimeoutMs, scaledTimings } from './scale.js';

export interface ExitWorkerRoleConfig {
  readonly bus: string;
  readonly broker: string;
  /** Default `default`. */
  readonly account?: string;
  /** What the venue must call itself. Default: not checked, the account alone must match. */
  readonly environment?: string;
  /** Another worker of the same account needs another name. Default: one for each account and host. */
  readonly id?: string;
  /** Closes at the same time. Default 10. */
  readonly concurrency?: number;
  /** When a broker call surely ends; at most the `brokerTimeoutMs` of the timings. Default 2,000 ms, scaled. */
  readonly brokerTimeoutMs?: number;
  /** Timings that differ from the (scaled) defaults. */
  readonly timings?: Partial<ExitTimings>;
  /** Default: in the journal's directory. */
  readonly memoryFile?: string;
  readonly alert?: AlertConfig;
  /** What to do when the bus stays away. Default `escalate`. */
  readonly onBusLost?: BusLostPolicy;
  /** Default 1. */
  readonly scale?: number;
}

export interface ExitWorkerSeams extends BusSeams, BrokerSeams {
  readonly create?: (options: ExitWorkerOptions) => { run(signal: AbortSignal): Promise<void> };
}

/** Runs until the signal aborts. Throws ConfigurationError or BusUnsuitableError where it cannot begin. */
export async function runExitWorkerRole(config: ExitWorkerRoleConfig, deps: RoleDeps<ExitWorkerSeams>): Promise<void> {
  const { signal, clock, logger, random, seams } = deps;
  const scaled = scaledTimings(config.scale);
  const timings = { ...scaled.exitWorker, ...config.timings };
  const account = checkName('account', config.account ?? DEFAULT_ACCOUNT);
  const id = checkName('id', config.id ?? defaultId('exit-worker', account));
  const environment = config.environment === undefined ? {} : { environment: config.environment };
  const timeoutMs = checkCloseTimeoutMs(config.brokerTimeoutMs ?? scaled.brokerTimeoutMs, timings);
  const alert = alertSink(config.alert, clock, logger);
  const opened = await openBroker(config.broker, { account, ...environment, timeoutMs, source: id, clock });
  await withBroker(opened, logger, () =>
    withBus(config.bus, deps, async (bus) => {
      const memoryFile = await prepareMemoryFile(config.memoryFile, config.bus, id, logger);
      const create = seams?.create ?? createExitWorker;
      const worker = create({
        bus,
        broker: seams?.wrapBroker?.(opened) ?? opened,
        account,
        ...environment,
        workerId: id,
        timings,
        clock: seams?.clock ?? clock,
        logger,
        ...(config.onBusLost === undefined ? {} : { onBusLost: config.onBusLost }),
        ...(config.concurrency === undefined ? {} : { concurrency: config.concurrency }),
        ...(random === undefined ? {} : { random }),
        ...(memoryFile === undefined ? {} : { memoryFile }),
        ...(alert === undefined ? {} : { alert }),
      });
      await runUnderName(
        bus,
        { stream: EXIT_WORKER_HEARTBEAT, id, clock, logger, beatMs: timings.beatMs },
        () => worker.run(signal),
        () => deps.onReady?.({ ready: 'exit-worker', id, pid: hostIdentity().pid, bus: bus.url }),
      );
    }),
  );
}
