/** The shutdown of this process: one owner for every installed copy of failflat, made when somebody first asks for it. */
import { systemClock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import { processShutdownPart, resetProcessGate, shutdownGate } from '../shutdownGate/processGate.js';
import { systemProcess } from './events.js';
import type { ShutdownHook } from './hooks.js';
import { type HookOptions, hookSettings, type SignalOptions, signalSettings } from './options.js';
import { ShutdownOwner } from './owner.js';
import { OWNER_VERSION, type ShutdownPhase, type ShutdownProtocol } from './protocol.js';

/** A hook that was registered. Disposing of it takes it away again; once it has begun, that does nothing. */
export interface RegisteredHook extends Disposable {
  unregister(): void;
}

/** That signals are handled. Disposing of it gives them back; once a shutdown has begun, that does nothing. */
export interface SignalHandling extends Disposable {
  /** How far the shutdown of this process is. */
  readonly phase: ShutdownPhase;
  close(): void;
}

function isSpoken(part: unknown): part is ShutdownProtocol {
  return typeof part === 'object' && part !== null && 'version' in part && part.version === OWNER_VERSION;
}

/** Throws {@link ConfigurationError} where the owner is a copy that this one does not understand: a second owner would cut off the first. */
export function processShutdown(field: string): ShutdownProtocol {
  const part = processShutdownPart(() => new ShutdownOwner({ gate: shutdownGate, clock: systemClock, events: systemProcess }));
  if (isSpoken(part)) return part;
  throw new ConfigurationError(field, 'another copy of failflat in this process', `must speak protocol version ${OWNER_VERSION}`);
}

/**
 * Registers `hook` for the shutdown of this process: hooks run after the drain, the last registered first, each within its time;
 * one that hangs or throws does not stop the others. Registered while hooks run, or afterwards, it runs at once.
 * Throws {@link ConfigurationError} for an option that cannot hold.
 */
export function onShutdown(hook: ShutdownHook, options: HookOptions = {}): RegisteredHook {
  const entry = { ...hookSettings(hook, options), hook };
  const unregister = processShutdown('onShutdown').addHook(entry);
  return { unregister, [Symbol.dispose]: unregister };
}

/**
 * From now on SIGTERM and SIGINT shut this process down: the gate is shut at once, loops are aborted, orders in flight are drained,
 * the hooks run, and the process ends by the signal that asked for it. So does a shutdown that the program itself requests; its
 * exit code is the program's own. Several calls, of any installed copy of failflat, share one owner: the longest times hold.
 * Throws {@link ConfigurationError} for an option that cannot hold, and in a worker thread, which gets no signals.
 */
export function handleSignals(options: SignalOptions = {}): SignalHandling {
  const settings = signalSettings(options);
  if (!systemProcess.hearsSignals) {
    throw new ConfigurationError('handleSignals', 'a worker thread', 'must be called on the main thread: no other gets signals');
  }
  const owner = processShutdown('handleSignals');
  const close = owner.handle(settings);
  return {
    get phase() {
      return owner.phase();
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** For tests alone: forgets the owner and its hooks, gives the signals back, and opens a new process-wide gate. */
export function resetProcessShutdown(): void {
  const part = processShutdownPart(() => ({}));
  if (isSpoken(part)) part.release();
  resetProcessGate();
}
