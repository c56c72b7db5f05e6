/** Every command, in the order in which the help lists them. */
import type { Command } from './command.js';
import { drillCommand } from './commands/drill.js';
import { exitBrainCommand } from './commands/exitBrain.js';
import { exitWorkerCommand } from './commands/exitWorker.js';
import { haltCommand } from './commands/halt.js';
import { maintenanceCommand } from './commands/maintenance.js';
import { panicCommand } from './commands/panic.js';
import { rearmCommand } from './commands/rearm.js';
import { statusCommand } from './commands/status.js';
import { venueCommand } from './commands/venue.js';
import { watchdogCommand } from './commands/watchdog.js';

export const COMMANDS: readonly Command[] = [
  drillCommand,
  statusCommand,
  haltCommand,
  panicCommand,
  rearmCommand,
  maintenanceCommand,
  exitBrainCommand,
  watchdogCommand,
  exitWorkerCommand,
  venueCommand,
];
