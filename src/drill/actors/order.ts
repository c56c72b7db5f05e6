/** Which role a process of the drill plays, and in which broken or burdened variant. */

export type ActorRole = 'strategy' | 'exit-brain' | 'watchdog' | 'exit-worker';

export interface ActorOrder {
  readonly role: ActorRole;
  /** A safeguard replaced by a broken one. */
  readonly sabotage?: string;
  /** A fault that can only happen inside the process: it begins when the trigger file appears. */
  readonly fault?: string;
  readonly triggerFile?: string;
  readonly scale?: number;
}
