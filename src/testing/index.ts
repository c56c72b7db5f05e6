/** `failflat/testing`: what a user's own tests need. Nothing here belongs into production code. */
export { createMemoryBus, type MemoryBus } from '../bus/memory.js';
export { resetProcessGate } from '../shutdownGate/processGate.js';
export { drawSchedule } from '../simulation/faults/draw.js';
export { parseSchedule, type Schedule } from '../simulation/faults/schedule.js';
export type { Bar } from '../venue/bars.js';
export { type RunningVenue, runVenue as startPaperVenue } from '../venue/command.js';
export { type SafetyArbitraries, safetyArbitraries } from './arbitraries.js';
export { type CheckSafetyOptions, checkSafety, type SafetyReport, STRATEGY_PROMISES, type StrategyPromise } from './checkSafety.js';
export { type BusFaults, type FaultyBus, faultyBus, type WriteFault } from './faultyBus.js';
export { ManualClock } from './manualClock.js';
export { randomWalk } from './marketData.js';
export { type MatcherResult, safetyMatchers } from './matchers.js';
export { maxOrderRate, maxPosition, type SafetyPromise, type StrategyRun } from './promises.js';
export { STOP_MS, type StrategyTools, type StrategyUnderTest } from './strategyTools.js';
