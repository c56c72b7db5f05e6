/** Delivers a panic a second time, as a sender does that was never told of its success. */
import { type Bus, FROM_START } from '../bus/bus.js';
import { PANIC_CLOSE } from '../messages/panicClose.js';
import { RigError } from '../rig/child.js';

export async function appendPanicAgain(bus: Bus): Promise<void> {
  const { records } = await bus.read(PANIC_CLOSE, FROM_START);
  const [first] = records;
  if (first === undefined) return;
  const sent = await bus.append(PANIC_CLOSE, first.fields);
  if (sent.outcome !== 'committed') throw new RigError(`the panic could not be delivered again: ${sent.outcome}`);
}
