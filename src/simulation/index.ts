/** `failflat/simulation`: a whole system on simulated time, seeded, with faults, judged from outside. */

export { SimulatedRedis, type SimulatedRedisOptions } from './bus/simulatedRedis.js';
export { type RunOptions, type RunResult, runSchedule } from './campaign/run.js';
export { type DrawOptions, drawSchedule } from './faults/draw.js';
export { FAULT_KINDS, type Fault, type FaultKind, OCCASIONS, type Occasion, parseSchedule, type Schedule } from './faults/schedule.js';
export type { Violation } from './judge/violation.js';
export { type DrainKind } from './kernel/drain.js';
export { Kernel, SimulationStuckError } from './kernel/kernel.js';
export { type DiskFault, SimulatedDisk } from './kernel/simulatedDisk.js';
export { SimulatedProcess } from './kernel/simulatedProcess.js';
export { SimulatedVenue, type SimulatedVenueOptions } from './venue/simulatedVenue.js';
export { drawSetup, type WorldSetup } from './world/setup.js';
