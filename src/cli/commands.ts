/** Every command, in the order in which the help lists them. Each is loaded when it is asked for: a role starts without the rest. */
import type { Command } from './command.js';

const LOADERS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['drill', async () => (await import('./commands/drill.js')).drillCommand],
  ['simulate', async () => (await import('./commands/simulate.js')).simulateCommand],
  ['chaos run', async () => (await import('./commands/chaosRun.js')).chaosRunCommand],
  ['chaos suite', async () => (await import('./commands/chaosSuite.js')).chaosSuiteCommand],
  ['chaos storm', async () => (await import('./commands/chaosStorm.js')).chaosStormCommand],
  ['doctor', async () => (await import('./commands/doctor.js')).doctorCommand],
  ['run', async () => (await import('./commands/run.js')).runSupervisedCommand],
  ['status', async () => (await import('./commands/status.js')).statusCommand],
  ['halt', async () => (await import('./commands/halt.js')).haltCommand],
  ['panic', async () => (await import('./commands/panic.js')).panicCommand],
  ['rearm', async () => (await import('./commands/rearm.js')).rearmCommand],
  ['maintenance', async () => (await import('./commands/maintenance.js')).maintenanceCommand],
  ['exit-brain', async () => (await import('./commands/exitBrain.js')).exitBrainCommand],
  ['watchdog', async () => (await import('./commands/watchdog.js')).watchdogCommand],
  ['exit-worker', async () => (await import('./commands/exitWorker.js')).exitWorkerCommand],
  ['venue', async () => (await import('./commands/venue.js')).venueCommand],
]);

export const COMMAND_NAMES: readonly string[] = [...LOADERS.keys()];

export interface FoundCommand {
  readonly command: Command;
  /** What follows its name. */
  readonly args: readonly string[];
}

/** A command's name is one word or two. Undefined where no command has that name. */
export async function findCommand([first = '', second = '', ...others]: readonly string[]): Promise<FoundCommand | undefined> {
  const ofTwo = await LOADERS.get(`${first} ${second}`)?.();
  if (ofTwo !== undefined) return { command: ofTwo, args: others };
  const ofOne = await LOADERS.get(first)?.();
  return ofOne === undefined ? undefined : { command: ofOne, args: second === '' ? others : [second, ...others] };
}

export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all([...LOADERS.values()].map((load) => load()));
}
