/** The shipped roles, each in a simulated process of its own. */
import type { AlertSink } from '../../alert/alert.js';
import type { Broker } from '../../broker/broker.js';
import type { Bus } from '../../bus/bus.js';
import type { DurableFiles } from '../../durableFile.js';
import { assembleExitWorker } from '../../emergencyExit/workerRun.js';
import type { Random } from '../../random.js';
import { hold } from '../../roles/decideModule.js';
import { evaluateForEver } from '../../roles/exitBrainRole.js';
import { assembleWatchdog } from '../../watchdog/runningWatchdog.js';
import type { SimulatedProcess } from '../kernel/simulatedProcess.js';
import { ACCOUNT, BROKER_TIMEOUT_MS, diskOf, type Ground, SERVICE } from './ground.js';
import { timingsOf } from './timings.js';

/** What a role in its process is given. */
export interface RoleGround {
  readonly ground: Ground;
  readonly process: SimulatedProcess;
  readonly bus: Bus;
  readonly broker: Broker;
  readonly random: Random;
  /** True while the decision loop of the brain hangs. */
  readonly hangs: () => boolean;
}

export function roleGround(ground: Ground, process: SimulatedProcess, life: number, hangs: () => boolean): RoleGround {
  return {
    ground,
    process,
    bus: ground.parts.bus(ground.redis.open(process), process.name, process.clock),
    broker: ground.venue.broker(process, { account: ACCOUNT, timeoutMs: BROKER_TIMEOUT_MS }),
    random: ground.kernel.random.fork(`role ${process.name}/${life}`),
    hangs,
  };
}

function alertsOf({ ground, process }: RoleGround): AlertSink {
  const sink = ground.observers.alerts((alert) => {
    if (process.running) ground.alerts.push({ atMs: ground.kernel.nowMs, alert });
  });
  return ground.parts.alerts(sink);
}

/** Where it remembers halts across its lives. */
function memoryOf({ ground, process }: RoleGround): { readonly memoryFile?: string; readonly files?: DurableFiles } {
  if (!ground.parts.keepsFiles) return {};
  return { memoryFile: `${process.name}.halts`, files: diskOf(ground, process.self.host).filesOf(process) };
}

export function runBrain(role: RoleGround): void {
  const { ground, process, bus, broker, random, hangs } = role;
  const { logger } = ground.observers;
  const timings = timingsOf(ground.setup);
  const brain = ground.parts.brain({ bus, serviceId: SERVICE, account: ACCOUNT, clock: process.clock, random, logger, ...timings.brain });
  const decide = () => (hangs() ? new Promise(() => undefined) : hold({ positions: [], orders: [], signal: never }));
  const { signal: never } = new AbortController();
  void evaluateForEver({ brain, broker, decide, decideMs: timings.decideMs, clock: process.clock, logger, signal: never });
}

export function runWatchdog(role: RoleGround): void {
  const { ground, process, bus, random } = role;
  const timings = timingsOf(ground.setup);
  const watchdog = assembleWatchdog(
    {
      bus,
      watchdogId: process.name,
      clock: ground.parts.watchdogClock(process.clock),
      random,
      self: process.self,
      alert: alertsOf(role),
      logger: ground.observers.logger,
      rules: timings.rules,
      peerBeatMs: timings.peerBeatMs,
      resendMs: timings.resendMs,
      ...memoryOf(role),
    },
    ground.parts.watchdog,
  );
  void watchdog.run();
}

export function runWorker(role: RoleGround): void {
  const { ground, process, bus, broker, random } = role;
  const worker = assembleExitWorker(
    {
      bus,
      broker,
      account: ACCOUNT,
      environment: 'paper',
      workerId: process.name,
      clock: process.clock,
      random,
      self: process.self,
      alert: alertsOf(role),
      logger: ground.observers.logger,
      timings: { ...timingsOf(ground.setup).exit, ...ground.parts.workerTimings },
      ...memoryOf(role),
    },
    ground.parts.worker,
  );
  void worker.run(new AbortController().signal);
}
