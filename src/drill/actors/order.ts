/** Which role a process of the drill plays, and in which broken or burdened variant. */
import type { Fault } from '../options.js';

export type ActorRole = 'strategy' | 'exit-brain' | 'watchdog' | 'exit-worker';

/** Faults of a chaos run that can only happen inside a process: they last as long as the trigger's file is there. */
export type CarriedFault = Fault | 'revoked-beats' | 'corrupted-beats' | 'memory-full' | 'blocked-loop';

export interface Variant {
  /** A safeguard replaced by a broken one. */
  readonly sabotage?: string;
  /** A fault that can only happen inside the process. */
  readonly fault?: CarriedFault;
}

export interface ActorOrder extends Variant {
  /** The fault begins when this file appears. */
  readonly triggerFile: string;
  readonly scale: number;
}
