/** The one gate of this process, shared by every installed copy of failflat that speaks the same protocol. */
import { systemClock } from '../clock.js';
import { type DrainOptions, gateOver, type ShutdownGate } from './gate.js';
import { type DrainReport, type GateProtocol, PROTOCOL_VERSION } from './protocol.js';
import { SubmissionRegister } from './register.js';

const KEY = Symbol.for('failflat.process.v1');

/** What stands under the key. The slot stays the same for the life of the process; its gate is replaced only by a reset. */
interface ProcessSlot {
  readonly version: number;
  gate: GateProtocol;
  /** The owner of the shutdown, once somebody asked for one. It belongs to the gate, and goes with it. */
  shutdown?: unknown;
}

let known: ProcessSlot | undefined;
/** The slot belongs to a copy whose words this one does not know. */
let foreign = false;

function ownSlot(): ProcessSlot {
  return { version: PROTOCOL_VERSION, gate: new SubmissionRegister({ clock: systemClock }) };
}

function isSpoken(found: unknown): found is ProcessSlot {
  if (typeof found !== 'object' || found === null || !('version' in found) || !('gate' in found)) return false;
  const { version, gate } = found;
  if (version !== PROTOCOL_VERSION || typeof gate !== 'object' || gate === null) return false;
  return 'version' in gate && gate.version === PROTOCOL_VERSION;
}

// This copy cannot count its orders with the others', nor hear their stop: so it admits none.
function haltedSlot(): ProcessSlot {
  foreign = true;
  const slot = ownSlot();
  slot.gate.requestShutdown('another copy of failflat in this process speaks an unknown protocol version: this copy is halted');
  return slot;
}

function findSlot(): ProcessSlot {
  const found: unknown = Reflect.get(globalThis, KEY);
  if (isSpoken(found)) return found;
  if (found !== undefined) return haltedSlot();
  const slot = ownSlot();
  Object.defineProperty(globalThis, KEY, { value: slot, configurable: true, enumerable: false, writable: false });
  return slot;
}

function currentGate(): GateProtocol {
  known ??= findSlot();
  return known.gate;
}

/**
 * The one owner of this process's shutdown, whichever copy of failflat made it; made here where there is none yet. Undefined
 * where the owner is a copy that this one does not understand.
 */
export function processShutdownPart(create: () => object): unknown {
  known ??= findSlot();
  if (foreign) return undefined;
  known.shutdown ??= create();
  return known.shutdown;
}

/** The process-wide gate: the default of every guard. */
export const shutdownGate: ShutdownGate = gateOver(currentGate, systemClock);

/** Shuts the process-wide gate for good. The first reason stays. Never throws. */
export function requestShutdown(reason: string): void {
  shutdownGate.requestShutdown(reason);
}

/** Waits for the orders of the process-wide gate. Default 8,000 ms; never rejects. */
export function waitForInflightZero(options?: DrainOptions): Promise<DrainReport> {
  return shutdownGate.waitForInflightZero(options);
}

/** For tests alone: opens a new process-wide gate, for every copy that shares it, and forgets what was found before. */
export function resetProcessGate(): void {
  const found: unknown = Reflect.get(globalThis, KEY);
  if (isSpoken(found)) {
    found.gate = ownSlot().gate;
    delete found.shutdown;
  }
  known = undefined;
  foreign = false;
}
