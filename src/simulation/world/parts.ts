/** What the roles of a simulated world are composed of: intact as shipped, or with a safeguard replaced by a broken one. */

import type { AlertSink } from '../../alert/alert.js';
import type { StrategyBreakersConfig } from '../../breakers/config.js';
import type { StrategyBreakers } from '../../breakers/face.js';
import { createStrategyBreakers } from '../../breakers/strategyBreakers.js';
import type { OrderReport, OrderRequest } from '../../broker/broker.js';
import type { Bus } from '../../bus/bus.js';
import type { Clock } from '../../clock.js';
import type { ExitTimings } from '../../emergencyExit/options.js';
import { intactWorkerParts, type WorkerParts } from '../../emergencyExit/workerContext.js';
import { assembleExitBrain, type ExitBrain, intactParts as intactBrain } from '../../exitBrain/exitBrain.js';
import type { ExitBrainOptions } from '../../exitBrain/options.js';
import type { Logger } from '../../logger.js';
import type { InFlightView, Permission } from '../../permission.js';
import type { Random } from '../../random.js';
import { defaultOutcomeOf } from '../../shutdownGate/options.js';
import type { TradingLease } from '../../tradingLease/lease.js';
import { intactParts as intactLease, type LeaseParts } from '../../tradingLease/renewal.js';
import { intactParts as intactWatchdog, type WatchdogParts } from '../../watchdog/runningWatchdog.js';
import type { Observers } from './observers.js';

export interface WorldParts {
  readonly brain: (options: ExitBrainOptions) => ExitBrain;
  readonly watchdog: WatchdogParts;
  readonly watchdogClock: (clock: Clock) => Clock;
  readonly worker: WorkerParts;
  readonly workerTimings: Partial<ExitTimings>;
  readonly lease: LeaseParts;
  /** What stands at the order door in the lease's place. */
  readonly permission: (lease: TradingLease, bus: Bus, clock: Clock) => Permission;
  readonly killSwitch: boolean;
  /** The bus as the process of this name has it. */
  readonly bus: (bus: Bus, process: string, clock: Clock) => Bus;
  /** How people are told, between a role and its sink. */
  readonly alerts: (sink: AlertSink) => AlertSink;
  /** Between the order door and the broker. */
  readonly send: (send: SendOrder, around: { readonly clock: Clock; readonly observers: Observers }) => SendOrder;
  /** What the order door takes an error for. */
  readonly outcomeOf: (error: unknown) => 'refused' | 'unknown';
  /** What the lease is told of the orders under way. */
  readonly inflight: (gate: InFlightView) => InFlightView;
  /** How long a strategy that was told to end waits for its orders. Absent: the default of the gate. */
  readonly drainTimeoutMs?: number;
  readonly breakers: (strategyId: string, deps: BreakersGround) => StrategyBreakers;
  /** What stands at the order door in the place of the breakers. */
  readonly breakerPermission: (breakers: StrategyBreakers) => Permission;
  /** How long an admitted order is kept before it is sent. */
  readonly sendDelayMs: number;
  /** False: small files of processes do not outlive them. */
  readonly keepsFiles: boolean;
}

export type SendOrder = (order: OrderRequest) => Promise<OrderReport>;

export interface BreakersGround {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How old a reading of the stored trips may be. */
  readonly maxStalenessMs: number;
}

/** A strategy that sends more than this within {@link ORDER_WINDOW_MS} has run away. */
export const ORDER_RATE_MAX = 10;
export const ORDER_WINDOW_MS = 1_000;
export const BREAKERS: StrategyBreakersConfig = { orderRate: { max: ORDER_RATE_MAX, windowMs: ORDER_WINDOW_MS } };

/** Made anew for each run, on its time: some parts count or wait. */
export type MakeParts = (clock: Clock) => WorldParts;

export const intactWorld: WorldParts = {
  brain: (options) => assembleExitBrain(options, intactBrain),
  watchdog: intactWatchdog,
  watchdogClock: (clock) => clock,
  worker: intactWorkerParts,
  workerTimings: {},
  lease: intactLease,
  permission: (lease) => lease,
  killSwitch: true,
  bus: (bus) => bus,
  alerts: (sink) => sink,
  send: (send) => send,
  outcomeOf: defaultOutcomeOf,
  inflight: (gate) => gate,
  breakers: (strategyId, deps) => createStrategyBreakers(strategyId, { ...BREAKERS, maxStalenessMs: deps.maxStalenessMs }, deps),
  breakerPermission: (breakers) => breakers,
  sendDelayMs: 0,
  keepsFiles: true,
};
