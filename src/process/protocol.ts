/** What installed copies of failflat say to the one owner of a process's shutdown. */
import type { HookEntry } from './hooks.js';
import type { SignalSettings } from './options.js';

export const OWNER_VERSION = 1;

/** `ended`: everything was done, and nobody asked for the process to be ended. */
export type ShutdownPhase = 'running' | 'draining' | 'hooks' | 'ending' | 'ended';

/** A change that an older copy would misread needs a new version. */
export interface ShutdownProtocol {
  readonly version: number;
  phase(): ShutdownPhase;
  /** The answer takes the hook away again. */
  addHook(entry: HookEntry): () => void;
  /** The answer says that the loop has returned. */
  enterLoop(name: string): () => void;
  /** Something failed that the process cannot go on without: asks for the shutdown, after which the process ends with exit code 1. */
  fail(reason: string, thrown: unknown): void;
  /** Resolves after the hooks; never where the process is ended then. */
  ended(): Promise<void>;
  /** Listens to signals. The answer gives them back. */
  handle(settings: SignalSettings): () => void;
  /** For tests alone: stops listening, and never ends the process. */
  release(): void;
}
