/** What the commands of an operator have in common: who acts, and a bus for as long as they talk. */
import { userInfo } from 'node:os';
import type { Bus } from '../bus/bus.js';
import { openBus } from '../bus/openBus.js';
import type { CommandContext } from './command.js';
import type { OptionTable, Values } from './options.js';
import { sharedBus } from './roleCommand.js';

export const byOption = {
  by: { type: 'text', value: 'NAME', help: 'who acts; goes into the record (default: the user of this terminal)' },
} as const satisfies OptionTable;

function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

export function actor(values: Values): string {
  return values.text('by') ?? currentUser();
}

/** Nothing of the bus is left open behind it, so that the process ends by itself. */
export async function withOperatorBus<T>(
  values: Values,
  { clock }: Pick<CommandContext, 'clock'>,
  talk: (bus: Bus) => Promise<T>,
): Promise<T> {
  const bus = await openBus(sharedBus(values), { clock });
  try {
    return await talk(bus);
  } finally {
    await bus.close();
  }
}
