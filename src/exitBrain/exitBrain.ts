/** The exit brain's heartbeat: it tells the watchdog what the decision loop has really done. */
import type { AppendOutcome } from '../bus/bus.js';
import type { Timer } from '../clock.js';
import { messageOf } from '../errors.js';
import { type BrainBeat, EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../messages/heartbeat.js';
import { type CheckedExitBrainOptions, checkExitBrainOptions, type ExitBrainOptions } from './options.js';
import { type BrainCondition, type Progress, progress } from './progress.js';

export interface Decision {
  /** Open positions that this evaluation was about: a whole number of at least 0. */
  readonly activePositions: number;
  /** How long the evaluation took, in milliseconds. Default: 0. */
  readonly latencyMs?: number;
}

export interface ExitBrain extends AsyncDisposable {
  readonly serviceId: string;
  /** Identifies this life of the process. */
  readonly generation: string;
  /** An evaluation completed, "no new data" included. Ends a `degraded` of before. */
  decided(decision: Decision): void;
  /** The loop runs but cannot be trusted: holds until the next `decided`. */
  degraded(why: string): void;
  /**
   * A planned end: the last beat says so. Let the next generation beat before you call this. Never throws; anything but
   * `committed` means that the watchdog may not have been told.
   */
  goodbye(): Promise<AppendOutcome>;
  /** Stops beating without a word: to the watchdog that is a death. */
  close(): Promise<void>;
}

/** The replaceable steps. */
export interface ExitBrainParts {
  readonly progress: (condition: BrainCondition, nowMs: number, decisionStallMs: number) => Progress;
}

export const intactParts: ExitBrainParts = { progress };

/** Throws a ConfigurationError for options out of bounds; the first beat leaves at once. */
export function createExitBrain(options: ExitBrainOptions): ExitBrain {
  return assembleExitBrain(options, intactParts);
}

export function assembleExitBrain(options: ExitBrainOptions, parts: ExitBrainParts): ExitBrain {
  return new BeatingBrain(checkExitBrainOptions(options), parts);
}

/** A change of status or of "any positions" may beat ahead of time, but not more often than this part of the interval. */
const EARLY_BEAT_SHARE = 0.1;

class BeatingBrain implements ExitBrain {
  readonly serviceId: string;
  readonly generation: string;
  readonly #options: CheckedExitBrainOptions;
  readonly #parts: ExitBrainParts;
  readonly #pending = new Set<Promise<AppendOutcome>>();
  #condition: BrainCondition;
  #sequence = 0;
  #lastBeatMs = Number.NEGATIVE_INFINITY;
  #lastDecisionWallMs = 0;
  #latencyMs = 0;
  #timer: Timer | undefined;
  #ended: AppendOutcome | Promise<AppendOutcome> | undefined;

  constructor(options: CheckedExitBrainOptions, parts: ExitBrainParts) {
    this.#options = options;
    this.#parts = parts;
    this.serviceId = options.serviceId;
    this.generation = options.random.id();
    this.#condition = { decisions: 0, lastDecisionMs: options.clock.monotonicMs(), activePositions: 0, degraded: undefined };
    this.#beatOnTime();
  }

  decided({ activePositions, latencyMs = 0 }: Decision): void {
    if (!Number.isSafeInteger(activePositions) || activePositions < 0) {
      // Positions that nobody can count are no completed evaluation.
      this.degraded(`activePositions = ${String(activePositions)}: must be a whole number of at least 0`);
      return;
    }
    const before = this.#condition;
    this.#latencyMs = Number.isFinite(latencyMs) && latencyMs > 0 ? latencyMs : 0;
    this.#lastDecisionWallMs = this.#options.clock.wallMs();
    const lastDecisionMs = this.#options.clock.monotonicMs();
    this.#condition = { decisions: before.decisions + 1, lastDecisionMs, activePositions, degraded: undefined };
    const holdsPositions = activePositions > 0;
    if (before.decisions === 0 || before.degraded !== undefined || before.activePositions > 0 !== holdsPositions) this.#beatEarly();
  }

  degraded(why: string): void {
    const news = this.#condition.degraded === undefined;
    this.#condition = { ...this.#condition, degraded: why === '' ? 'unspecified' : why };
    if (news) this.#beatEarly();
  }

  async goodbye(): Promise<AppendOutcome> {
    this.#timer?.cancel();
    this.#ended ??= this.#send('GOODBYE');
    return await this.#ended;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#ended ??= { outcome: 'refused', reason: 'closed', detail: 'the exit brain is closed' };
    await Promise.all(this.#pending);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #beatOnTime(): void {
    if (this.#ended !== undefined) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(this.#options.intervalMs, () => this.#beatOnTime(), { keepAlive: false });
    void this.#send();
  }

  #beatEarly(): void {
    const sinceMs = this.#options.clock.monotonicMs() - this.#lastBeatMs;
    if (sinceMs >= this.#options.intervalMs * EARLY_BEAT_SHARE) this.#beatOnTime();
  }

  #send(last?: 'GOODBYE'): Promise<AppendOutcome> {
    const { bus, clock, intervalMs, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#lastBeatMs = nowMs;
    const fields = encodeBrainBeat(this.#beat(nowMs, last));
    // A beat that could not be written within its interval is worth nothing: the next one says more.
    const limits = { key: this.serviceId, notAfterMs: nowMs + intervalMs, timeoutMs: Math.min(500, intervalMs) };
    const sent = attempt(() => bus.append(EXIT_BRAIN_HEARTBEAT, fields, limits)).then((outcome) => {
      this.#pending.delete(sent);
      if (outcome.outcome === 'refused' || outcome.outcome === 'unknown') logger.warn({ outcome }, 'heartbeat not written');
      return outcome;
    });
    this.#pending.add(sent);
    return sent;
  }

  #beat(nowMs: number, last: 'GOODBYE' | undefined): BrainBeat {
    const { account, clock, decisionStallMs } = this.#options;
    const said = this.#parts.progress(this.#condition, nowMs, decisionStallMs);
    this.#sequence += 1;
    return {
      serviceId: this.serviceId,
      account,
      generation: this.generation,
      sequence: this.#sequence,
      decisionSequence: said.decisionSequence,
      status: last ?? said.status,
      ...(said.reason === undefined ? {} : { reason: said.reason }),
      activePositions: this.#condition.activePositions,
      lastDecisionWallMs: this.#lastDecisionWallMs,
      latencyMs: this.#latencyMs,
      wallMs: clock.wallMs(),
    };
  }
}

/** Appends do not throw by contract; a bus that breaks it must not reach the decision loop. */
async function attempt(append: () => Promise<AppendOutcome>): Promise<AppendOutcome> {
  try {
    return await append();
  } catch (error) {
    return { outcome: 'unknown', detail: messageOf(error) };
  }
}
