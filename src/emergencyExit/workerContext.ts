/** What the parts of one exit worker share. */
import type { Alert } from '../alert/alert.js';
import type { Audit } from '../audit/audit.js';
import type { Broker } from '../broker/broker.js';
import type { Bus, Delivery } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import type { Random } from '../random.js';
import type { BusNames } from './busNames.js';
import type { ClaimDesk } from './claim.js';
import type { CloseMemory } from './closeMemory.js';
import type { ConditionWatch } from './condition.js';
import { type ExitParts, intactExitParts, runExit } from './executor.js';
import type { ExitEnd, ExitRun } from './exitRun.js';
import type { HolderTail } from './holderTail.js';
import { type JudgePanic, judgePanic } from './intake.js';
import type { ExitTimings } from './options.js';

/** The replaceable steps of a worker. Production uses {@link intactWorkerParts} only. */
export interface WorkerParts {
  readonly judgePanic: JudgePanic;
  /** Called with each delivery before anything is done about it. */
  readonly received: (delivery: Delivery) => Promise<void>;
  /** What happens with a new incident before its claim is taken. */
  readonly atOnce: (beginHalt: () => void) => void;
  /** In which order the halt and the exit happen. */
  readonly inOrder: (raiseHalt: () => Promise<void>, exit: () => Promise<ExitEnd>) => Promise<ExitEnd>;
  readonly runExit: (run: ExitRun, parts: ExitParts) => Promise<ExitEnd>;
  readonly exit: ExitParts;
}

export const intactWorkerParts: WorkerParts = {
  judgePanic,
  // A delivery is acknowledged only after its completion is recorded.
  received: async () => {},
  // The halt needs no claim, and each millisecond of it is an order that is not sent.
  atOnce: (beginHalt) => beginHalt(),
  // Halt first: a strategy that goes on opening would race the exit.
  inOrder: async (raiseHalt, exit) => {
    await raiseHalt();
    return exit();
  },
  runExit,
  exit: intactExitParts,
};

export interface WorkerContext {
  readonly bus: Bus;
  readonly broker: Broker;
  readonly account: string;
  readonly environment: string | undefined;
  readonly workerId: string;
  readonly timings: ExitTimings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly audit: Audit;
  /** Sent at once and never waited for. */
  readonly alert: (alert: Alert) => void;
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  readonly limitCancels: <T>(task: () => Promise<T>) => Promise<T>;
  readonly remembered: CloseMemory;
  readonly claims: ClaimDesk;
  readonly names: BusNames;
  readonly holders: HolderTail;
  readonly condition: ConditionWatch;
  readonly parts: WorkerParts;
  readonly signal: AbortSignal;
}
