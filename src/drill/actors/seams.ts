/** Chooses what a variant replaces: the fault that it carries, and the safeguard that it lacks. */
import { RigError } from '../../rig/child.js';
import type { ExitBrainSeams } from '../../roles/exitBrainRole.js';
import type { ExitWorkerSeams } from '../../roles/exitWorkerRole.js';
import type { BusSeams } from '../../roles/role.js';
import type { WatchdogSeams } from '../../roles/watchdogRole.js';
import { brokenBrains } from '../sabotage/brokenBrains.js';
import { brokenPermissions } from '../sabotage/brokenStrategies.js';
import { brokenWatchdogs } from '../sabotage/brokenWatchdogs.js';
import { brokenWorkers } from '../sabotage/brokenWorkers.js';
import {
  corruptsBeats,
  createUncriticalBrain,
  failingDecide,
  fillingDecide,
  hangingDecide,
  losesBeats,
  losesFirstPanic,
  steppedClock,
} from './faults.js';
import type { ActorOrder } from './order.js';
import type { StrategySeams } from './strategy.js';

function variant<T>(table: Readonly<Record<string, T>>, order: ActorOrder): T | undefined {
  if (order.sabotage === undefined) return undefined;
  const found = table[order.sabotage];
  if (found === undefined) throw new RigError(`${order.sabotage} is no sabotage of this role`);
  return found;
}

export function strategySeams(order: ActorOrder): StrategySeams {
  const permission = variant(brokenPermissions, order);
  return permission === undefined ? {} : { permission };
}

export function watchdogSeams(order: ActorOrder): WatchdogSeams {
  const broken = variant(brokenWatchdogs, order);
  const stepped = order.fault === 'wall-step' || order.fault === 'stopped-watchdog' ? steppedClock(order.triggerFile) : undefined;
  const clock = broken?.clock?.(stepped) ?? stepped;
  return {
    ...(broken?.create === undefined ? {} : { create: broken.create }),
    ...(clock === undefined ? {} : { clock }),
    ...(order.fault === 'lost-panic' ? { wrapBus: losesFirstPanic } : {}),
    ...revoked(order),
  };
}

export function workerSeams(order: ActorOrder): ExitWorkerSeams {
  const create = variant(brokenWorkers(order.scale), order);
  return { ...(create === undefined ? {} : { create }), ...revoked(order) };
}

const revoked = ({ fault, triggerFile }: ActorOrder): BusSeams =>
  fault === 'revoked-beats' ? { wrapBus: (bus) => losesBeats(bus, triggerFile) } : {};

export function brainSeams(order: ActorOrder): ExitBrainSeams {
  const create = variant(brokenBrains, order);
  return {
    ...(create === undefined ? {} : { create }),
    ...(order.fault === 'frozen-loop' ? { decide: hangingDecide(order.triggerFile) } : {}),
    ...(order.fault === 'stale-decisions' ? { create: createUncriticalBrain, decide: hangingDecide(order.triggerFile) } : {}),
    ...revoked(order),
    ...(order.fault === 'corrupted-beats' ? { wrapBus: (bus) => corruptsBeats(bus, order.triggerFile) } : {}),
    ...(order.fault === 'memory-full' ? { decide: fillingDecide(order.triggerFile) } : {}),
    ...(order.fault === 'brain-degraded' ? { decide: failingDecide(order.triggerFile) } : {}),
  };
}
