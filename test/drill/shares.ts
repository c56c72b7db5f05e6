/** How the drills are shared out over test files, so that files of equal length run side by side; together they are all of them. */
import { FAULTS, type Fault } from '../../src/drill/options.js';
import { SABOTAGES, type Sabotage } from '../../src/drill/sabotage/catalogue.js';

const CLOSING: readonly Fault[] = ['read-failures', 'expired-closes', 'panic-twice', 'old-panic', 'lost-answers'];

/** Faults that the exit worker faces: venues that misbehave, panics that are doubled or old. */
export const CLOSING_FAULTS = FAULTS.filter((fault) => CLOSING.includes(fault));
/** All others: brains that lie, a lost panic, clocks that step. */
export const WATCHING_FAULTS = FAULTS.filter((fault) => !CLOSING.includes(fault));

const named = (sabotages: readonly Sabotage[]) => sabotages.map((sabotage) => [sabotage.name, sabotage] as const);
const isWorkers = ({ role }: Sabotage): boolean => role === 'exit-worker';
const isKillRevealed = ({ reveal }: Sabotage): boolean => 'kill' in reveal;

/** Safeguards of the exit worker that a death reveals the lack of. */
export const WORKER_SABOTAGES_BY_KILL = named(SABOTAGES.filter((one) => isWorkers(one) && isKillRevealed(one)));
/** … and those that another fault does. */
export const WORKER_SABOTAGES_BY_FAULT = named(SABOTAGES.filter((one) => isWorkers(one) && !isKillRevealed(one)));
/** Safeguards of brain, watchdog and strategy. */
export const OTHER_SABOTAGES = named(SABOTAGES.filter((one) => !isWorkers(one)));
