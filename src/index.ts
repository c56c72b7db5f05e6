/** The public face: exports only. */
export { type Alert, type AlertSeverity, type AlertSink, combineAlerts, silentAlerts } from './alert/alert.js';
export { commandAlert } from './alert/commandAlert.js';
export type { CommandAlertOptions, WebhookAlertOptions } from './alert/options.js';
export { webhookAlert } from './alert/webhookAlert.js';
export { type Audit, type AuditEvent, type AuditOptions, createAudit } from './audit/audit.js';
export { type AuditRecord, readAudit } from './audit/readAudit.js';
export { type AuditProblem, type AuditVerdict, verifyAudit } from './audit/verify.js';
export { abnormalVolatility } from './breakers/abnormalVolatility.js';
export type { PriceBar } from './breakers/bar.js';
export { BREAKER_TYPES, type BreakerType, type ProbeOptions, type StrategyBreakersConfig } from './breakers/config.js';
export { consecutiveLosses } from './breakers/consecutiveLosses.js';
export { dailyLoss } from './breakers/dailyLoss.js';
export { drawdown } from './breakers/drawdown.js';
export type {
  BreakerEvent,
  DoorEvent,
  ResetOutcome,
  ResetRequest,
  StrategyBreakers,
  StrategyBreakersDeps,
  Verdict,
} from './breakers/face.js';
export { missingMarketData } from './breakers/missingMarketData.js';
export { notional } from './breakers/notional.js';
export type * from './breakers/options.js';
export type { OrderRecord, TimedOrder } from './breakers/order.js';
export { orderRate } from './breakers/orderRate.js';
export { ordersPerIntent } from './breakers/ordersPerIntent.js';
export { priceCollar } from './breakers/priceCollar.js';
export { type Quote, quoteQuality } from './breakers/quoteQuality.js';
export { repeatedOrders } from './breakers/repeatedOrders.js';
export { type CheckResult, REASON_CODES, type ReasonCode } from './breakers/result.js';
export { type Feed, staleMarketData } from './breakers/staleMarketData.js';
export type { BreakerState, Trip } from './breakers/state.js';
export { createStrategyBreakers } from './breakers/strategyBreakers.js';
export { type WarningLevel, warningLevel } from './breakers/warnings.js';
export type * from './broker/broker.js';
export { BrokerRejectedError, BrokerUnavailableError } from './broker/broker.js';
export { type BrokerFactory, type OpenBrokerOptions, openBroker } from './brokers/openBroker.js';
export type * from './bus/bus.js';
export { BusDoubtError, BusUnavailableError, BusUnsuitableError, FROM_START } from './bus/bus.js';
export { type OpenBusOptions, openBus } from './bus/openBus.js';
export { type Clock, systemClock, type Timer, type TimerOptions } from './clock.js';
export { type DirectExitOptions, type DirectExitResult, directExit } from './emergencyExit/direct.js';
export type { ExitTimings } from './emergencyExit/options.js';
export { type PanicDeps, type PanicOutcome, type PanicRequest, panicClose } from './emergencyExit/panicClose.js';
export { createExitWorker } from './emergencyExit/worker.js';
export type { ExitWorker, ExitWorkerOptions } from './emergencyExit/workerOptions.js';
export { ConfigurationError, FailflatError, type FailflatErrorCode, isFailflatError } from './errors.js';
export { createExitBrain, type Decision, type ExitBrain } from './exitBrain/exitBrain.js';
export type { ExitBrainOptions } from './exitBrain/options.js';
export { answerOf, type HttpAnswer } from './http/answers.js';
export { attachHttp, type HttpAttachment } from './http/attachHttp.js';
export type { HttpOptions, RequestFacts, RequestIntent } from './http/options.js';
export { type BusSourceOptions, busSource } from './killSwitch/busSource.js';
export { type EnvSourceOptions, envSource } from './killSwitch/envSource.js';
export { ExecutionHaltedError } from './killSwitch/errors.js';
export { type FileSourceOptions, fileSource } from './killSwitch/fileSource.js';
export { type FunctionSourceOptions, functionSource, type HaltAnswer } from './killSwitch/functionSource.js';
export { createKillSwitch, type KillSwitch } from './killSwitch/killSwitch.js';
export type { KillSwitchOptions } from './killSwitch/options.js';
export type { KillSwitchScope, KillSwitchSource, SourceOptions } from './killSwitch/source.js';
export type { KillSwitchState, KillSwitchView, SourceState } from './killSwitch/view.js';
export { createLedger } from './ledger/createLedger.js';
export type { BustedFill, LedgerFill } from './ledger/fill.js';
export type { Ledger } from './ledger/ledger.js';
export type { LedgerOptions } from './ledger/options.js';
export type {
  Close,
  FillRefusal,
  FillRefusalCode,
  LossCount,
  LossSum,
  OpenPosition,
  RealisedResult,
  RecordOutcome,
  ResultChanges,
  ResultFilter,
} from './ledger/result.js';
export type { Logger } from './logger.js';
export type { AuditEntry } from './messages/audit.js';
export type { CompletionVerdict, EscalationVerdict, ExitReport, ExitVerdict, Residue } from './messages/completion.js';
export type { PanicIssuer } from './messages/panicClose.js';
export type { BreakerResult, ResultSource } from './messages/result.js';
export type { Halt, HaltKind, TradingMode, TradingState } from './messages/tradingState.js';
export { type InFlightView, type IntentKind, type Permission, REFUSAL_CODES, type Refusal, type RefusalCode } from './permission.js';
export { breakersFromEnvironment } from './process/environment.js';
export type { EndSignal } from './process/events.js';
export type { ShutdownContext, ShutdownHook } from './process/hooks.js';
export type { LoopErrorVerdict, OnLoopError } from './process/loopErrors.js';
export type { HookOptions, SignalOptions } from './process/options.js';
export type { ShutdownPhase } from './process/protocol.js';
export { type LoopEnd, type LoopOptions, runUntilShutdown, type TickOptions } from './process/runUntilShutdown.js';
export { handleSignals, onShutdown, type RegisteredHook, type SignalHandling } from './process/shutdown.js';
export { type Random, seededRandom, systemRandom } from './random.js';
export {
  type ClientGuardOptions,
  type ClientMethod,
  type ClientMethods,
  type GuardedClient,
  guardClient,
} from './shutdownGate/clientGuard.js';
export { OrderOutcomeUnknownError, type OrderRefusal, OrderRefusedError, type Settled } from './shutdownGate/errors.js';
export {
  createShutdownGate,
  type DrainOptions,
  type EnterResult,
  type ShutdownGate,
  type ShutdownGateOptions,
  type SubmissionPermit,
} from './shutdownGate/gate.js';
export { type Admission, type GuardedSubmit, guardOrderSubmission } from './shutdownGate/guard.js';
export type { Intent } from './shutdownGate/intentLog/intentFile.js';
export type { IntentLogOptions } from './shutdownGate/intentLog/intentLog.js';
export type { ReconcileOptions, ReconcileReport } from './shutdownGate/intentLog/reconcile.js';
export { reconcile } from './shutdownGate/intentLog/reconcileAt.js';
export type { DoorOptions, GuardEvent, GuardOptions, IntentLogOption } from './shutdownGate/options.js';
export { OrderSubmissionGuard, type OrderSubmissionGuardOptions } from './shutdownGate/orderSubmissionGuard.js';
export { requestShutdown, shutdownGate, waitForInflightZero } from './shutdownGate/processGate.js';
export type { DrainReport, ExitPermit, GateStatus, ResolveResult, SubmissionOutcome, UnfinishedEntry } from './shutdownGate/protocol.js';
export type { ReduceProof } from './shutdownGate/reductions.js';
export { sharedGateMemory } from './shutdownGate/sharedGate.js';
export { createTradingLease, type TradingLease } from './tradingLease/lease.js';
export type { LeasePeer, PeerPlace, TradingLeaseOptions } from './tradingLease/options.js';
export { type HaltOutcome, type HaltRequest, halt } from './tradingState/halt.js';
export { type MaintenanceRequest, startMaintenance } from './tradingState/maintenance.js';
export type { StateDeps } from './tradingState/options.js';
export { readTradingState, type StateReading } from './tradingState/read.js';
export { type RearmDeps, type RearmOutcome, RearmRefusedError, rearm } from './tradingState/rearm.js';
export type { BookPosition, RearmPlan, RearmRequest } from './tradingState/rearmPlan.js';
export { readStatus, type SystemStatus } from './tradingState/status.js';
export type { WatchdogOptions } from './watchdog/options.js';
export type { RuleLimits, RuleName } from './watchdog/rules/rule.js';
export { createWatchdog } from './watchdog/watchdog.js';
export type { Watchdog, WatchdogStatus } from './watchdog/watchdogFace.js';
