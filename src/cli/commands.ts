/** Every command, in the order in which the help lists them. */
import type { Command } from './command.js';
import { exitBrainCommand } from './commands/exitBrain.js';
import { exitWorkerCommand } from './commands/exitWorker.js';
import { venueCommand } from './commands/venue.js';
import { watchdogCommand } from './commands/watchdog.js';

export const COMMANDS: readonly Command[] = [exitBrainCommand, watchdogCommand, exitWorkerCommand, venueCommand];
