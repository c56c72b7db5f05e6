/** Runs what was registered for the shutdown: the last registered first, one after another, each within its share of the time. */
import type { Clock } from '../clock.js';
import { callWithin } from '../deadline.js';
import type { DrainReport, ExitPermit } from '../shutdownGate/protocol.js';
import type { ExitGrant } from './gates.js';

export interface ShutdownContext {
  /** Why the shutdown was requested. */
  readonly reason: string;
  /** When this hook's time is up, on the monotonic clock. */
  readonly deadlineMs: number;
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  /** What the drain left: unfinished orders by label, age and state. */
  readonly report: DrainReport;
  /** The right to cancel and to reduce until this hook ends: hand it to `submit.under()`. */
  readonly exitPermit: ExitPermit;
}

export type ShutdownHook = (context: ShutdownContext) => unknown;

/** `waiting`: not begun. `abandoned`: it had not ended when its time was up. */
export type HookOutcome = 'waiting' | 'running' | 'done' | 'failed' | 'abandoned';

export interface HookEntry {
  readonly name: string;
  readonly timeoutMs: number;
  readonly hook: ShutdownHook;
}

/** What every hook of one shutdown is told. */
export interface HookRun {
  readonly reason: string;
  readonly report: DrainReport;
  /** When the time of all hooks together is up, on the monotonic clock. */
  readonly untilMs: number;
  /** A permit for one hook, which is revoked when that hook ends. */
  readonly grant: () => ExitGrant;
  /** Told how each one ended. Must not throw. */
  readonly ended: (name: string, outcome: HookOutcome, error?: unknown) => void;
}

interface Standing extends HookEntry {
  outcome: HookOutcome;
}

/** How long the next hook may take, so that what is left still reaches for the others, each in proportion to what it asked for. */
export function shareOf(leftMs: number, timeoutMs: number, timeoutsOfOthersMs: number): number {
  const fairMs = (leftMs * timeoutMs) / (timeoutMs + timeoutsOfOthersMs);
  return Math.max(0, Math.min(timeoutMs, fairMs));
}

// Long after the shutdown there is no budget left to share, and nobody who ends the process.
function lateLimit(leftMs: number, timeoutMs: number): number {
  return leftMs > 0 ? Math.min(leftMs, timeoutMs) : timeoutMs;
}

export class HookStack {
  readonly #clock: Clock;
  readonly #stack: Standing[] = [];
  readonly #late = new Set<Promise<void>>();
  readonly #begun: Standing[] = [];
  #run: HookRun | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer takes it away again; once it has begun, that does nothing. While the hooks run, and afterwards, it runs at once. */
  add(entry: HookEntry): () => void {
    const standing: Standing = { ...entry, outcome: 'waiting' };
    if (this.#run !== undefined) return this.#addLate(standing, this.#run);
    this.#stack.push(standing);
    return () => {
      const at = this.#stack.indexOf(standing);
      if (at >= 0) this.#stack.splice(at, 1);
    };
  }

  /** Those that have not ended well, by name. */
  unfinished(): readonly string[] {
    return [...this.#begun.filter(({ outcome }) => outcome !== 'done'), ...this.#stack].map(({ name }) => name);
  }

  /** Runs all, and those that are added meanwhile. Never rejects. */
  async runAll(run: HookRun): Promise<void> {
    this.#run = run;
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      const others = this.#stack.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
      await this.#call(next, run, shareOf(run.untilMs - this.#clock.monotonicMs(), next.timeoutMs, others));
    }
    while (this.#late.size > 0 && this.#clock.monotonicMs() < run.untilMs) await Promise.all(this.#late);
  }

  // In a turn of the loop of its own: a hook that adds a hook that adds a hook must not keep timers and signals from being heard.
  #addLate(standing: Standing, run: HookRun): () => void {
    let cancelled = false;
    this.#begun.push(standing);
    const running = new Promise<void>((resolve) => {
      this.#clock.setTimer(0, () => resolve());
    }).then(() =>
      cancelled ? undefined : this.#call(standing, run, lateLimit(run.untilMs - this.#clock.monotonicMs(), standing.timeoutMs)),
    );
    this.#late.add(running);
    void running.then(() => this.#late.delete(running));
    return () => {
      if (standing.outcome === 'waiting') cancelled = true;
      if (cancelled) standing.outcome = 'done';
    };
  }

  async #call(standing: Standing, run: HookRun, limitMs: number): Promise<void> {
    const { reason, report } = run;
    const grant = run.grant();
    if (!this.#begun.includes(standing)) this.#begun.push(standing);
    standing.outcome = 'running';
    let error: unknown;
    try {
      const deadlineMs = this.#clock.monotonicMs() + limitMs;
      const call = async (signal: AbortSignal) => standing.hook({ reason, report, deadlineMs, signal, exitPermit: grant.permit });
      standing.outcome = (await callWithin(this.#clock, call, limitMs)).settled ? 'done' : 'abandoned';
    } catch (thrown) {
      standing.outcome = 'failed';
      error = thrown;
    } finally {
      grant.revoke();
    }
    run.ended(standing.name, standing.outcome, error);
  }
}
