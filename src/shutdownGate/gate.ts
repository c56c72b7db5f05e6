/** The shutdown gate: once it is shut no order begins, and what had begun is waited for or reported. */
import { type Clock, MAX_TIMER_MS, systemClock } from '../clock.js';
import { ConfigurationError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { InFlightView, IntentKind, Permission, Refusal } from '../permission.js';
import { doubt } from './door.js';
import { labelText } from './label.js';
import {
  DEFAULT_DRAIN_TIMEOUT_MS,
  type DrainReport,
  type GateProtocol,
  type GateStatus,
  type ResolveResult,
  type SubmissionOutcome,
} from './protocol.js';
import { GATE_NAME, SubmissionRegister } from './register.js';
import { SharedGate } from './sharedGate.js';

export interface ShutdownGateOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Told of the shutdown and of unknown outcomes. Default: silent. */
  readonly logger?: Logger;
  /** Memory from `sharedGateMemory()`: gates of several worker threads over the same memory are one gate. Default: this thread's own. */
  readonly shared?: SharedArrayBuffer;
}

export interface DrainOptions {
  /** Default 8,000 ms. Never refused: out of range is clamped to 0 … 2^31 - 1, anything but a number is the default. */
  readonly timeoutMs?: number;
}

/** One counted submission of code that cannot be wrapped. It holds its slot until `settle` is called. */
export interface SubmissionPermit {
  readonly ok: true;
  readonly entryId: number;
  /** Tells what became of it and frees the slot. Only the first call counts. */
  settle(outcome: SubmissionOutcome): void;
}

export type EnterResult = SubmissionPermit | ({ readonly ok: false } & Refusal);

export interface ShutdownGate extends Permission, Required<InFlightView> {
  readonly requested: boolean;
  /** Why the shutdown was requested. Undefined while the gate is open. */
  readonly reason: string | undefined;
  /** Aborts when the shutdown is requested. */
  readonly signal: AbortSignal;
  /** What guards measure time on when they are given no clock of their own. */
  readonly clock: Clock;
  /** What guards speak to; not for other use. */
  readonly protocol: GateProtocol;
  /** Shuts the gate for good. The first reason stays; further calls do nothing. Never throws. */
  requestShutdown(reason: string): void;
  /** Resolves when no call is in flight, or at the timeout. Never rejects; keeps the process alive while it waits. */
  waitForInflightZero(options?: DrainOptions): Promise<DrainReport>;
  /** Counts one submission in, in the same synchronous step as the check. It asks the gate alone, no other permission. Never throws. */
  tryEnter(label: string): EnterResult;
  /**
   * Records what the venue said about a submission whose outcome was unknown: `acknowledged`, or `refused` for one that
   * surely never reached it. `by` names who found out. Throws {@link ConfigurationError} for another outcome or an empty name.
   */
  resolve(entryId: number, outcome: Exclude<SubmissionOutcome, 'unknown'>, who: { readonly by: string }): ResolveResult;
  status(): GateStatus;
}

/** A gate of its own. Most programs use the process-wide one instead. */
export function createShutdownGate({ clock = systemClock, logger, shared }: ShutdownGateOptions = {}): ShutdownGate {
  const register = new SubmissionRegister({ clock, logger, shared: shared === undefined ? undefined : new SharedGate(shared) });
  return gateOver(() => register, clock);
}

/** The gate as programs see it, over state that may belong to another copy of failflat. */
export function gateOver(current: () => GateProtocol, clock: Clock): ShutdownGate {
  return new GateFace(current, clock);
}

/** For a gate that admits nothing and says no why. */
export const SHUT: Refusal = { code: 'shutdown_requested', source: GATE_NAME, reason: 'shutdown requested' };

class GateFace implements ShutdownGate {
  readonly name = GATE_NAME;
  readonly clock: Clock;
  readonly #current: () => GateProtocol;

  constructor(current: () => GateProtocol, clock: Clock) {
    this.#current = current;
    this.clock = clock;
  }

  get protocol(): GateProtocol {
    return this.#current();
  }

  get requested(): boolean {
    return this.protocol.requested();
  }

  get reason(): string | undefined {
    return this.protocol.status().reason;
  }

  get signal(): AbortSignal {
    return this.protocol.signal();
  }

  inflight(): number {
    return this.protocol.inflight();
  }

  unknownOutcomes(): number {
    return this.protocol.unknownOutcomes();
  }

  longestBrokerTimeoutMs(): number | undefined {
    return this.protocol.status().longestBrokerTimeoutMs;
  }

  limitBrokerTimeout(holder: object, limitMs: number | undefined): void {
    this.protocol.limitBrokerTimeout?.(holder, limitMs);
  }

  status(): GateStatus {
    return this.protocol.status();
  }

  check(_nowMs: number, _intent: IntentKind): Refusal | undefined {
    return this.protocol.refusal();
  }

  requestShutdown(reason: string): void {
    const words: unknown = reason;
    this.protocol.requestShutdown(typeof words === 'string' && words.trim() !== '' ? words : 'no reason given');
  }

  waitForInflightZero(options?: DrainOptions): Promise<DrainReport> {
    return this.protocol.waitForInflightZero(drainTimeoutMs(options?.timeoutMs));
  }

  tryEnter(label: string): EnterResult {
    const protocol = this.protocol;
    const text = labelText(label);
    const nowMs = this.#monotonicMsIfAny();
    if (!Number.isFinite(nowMs)) return { ok: false, ...(protocol.refusal() ?? doubt(GATE_NAME, `the clock of the gate reads ${nowMs}`)) };
    const entry = protocol.enter(text, nowMs);
    if (entry === undefined) return { ok: false, ...(protocol.refusal() ?? SHUT) };
    return { ok: true, entryId: entry.entryId, settle: (outcome) => protocol.settle(entry, knownOutcome(outcome)) };
  }

  #monotonicMsIfAny(): number {
    try {
      return this.clock.monotonicMs();
    } catch {
      return Number.NaN;
    }
  }

  resolve(entryId: number, outcome: Exclude<SubmissionOutcome, 'unknown'>, who: { readonly by: string }): ResolveResult {
    if (outcome !== 'acknowledged' && outcome !== 'refused') {
      throw new ConfigurationError('outcome', outcome, 'must be one of acknowledged, refused');
    }
    const by: unknown = who?.by;
    if (typeof by !== 'string' || by.trim() === '') throw new ConfigurationError('by', by, 'must be a text that is not empty');
    return this.protocol.resolve(entryId, outcome, by);
  }
}

/** Anything but a clear answer is unknown: a misspelt outcome must not make an order be forgotten. */
export function knownOutcome(outcome: unknown): SubmissionOutcome {
  return outcome === 'acknowledged' || outcome === 'refused' ? outcome : 'unknown';
}

// A drain runs when everything else is ending: refusing it over its argument would skip it.
function drainTimeoutMs(timeoutMs: unknown): number {
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) return DEFAULT_DRAIN_TIMEOUT_MS;
  return Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS);
}
