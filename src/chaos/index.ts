/** `failflat/chaos`: faults in the calls of your own code, and whether it recovers from them. */
export { chaos, chaosContext } from './inProcess/chaos.js';
export { CHAOS_DEFAULTS, type ChaosConfig } from './inProcess/config.js';
export { type AsyncMethodOf, ChaosEngine, type RunOptions, type TargetCall } from './inProcess/engine.js';
export { CHAOS_BEHAVIOURS, CHAOS_TYPES, type ChaosBehaviour, type ChaosType, isInjected } from './inProcess/faultKinds.js';
export type { Effect } from './inProcess/faults.js';
export type { ChaosCrash, ChaosInjection } from './inProcess/injection.js';
export { type ChaosBrokerOptions, chaosBroker, chaosBus } from './inProcess/ports.js';
export { chaosReport, type ReportContext } from './inProcess/report.js';
export { type ChaosResult, wilsonLowerBound } from './inProcess/result.js';
export type { TargetOptions } from './inProcess/target.js';
