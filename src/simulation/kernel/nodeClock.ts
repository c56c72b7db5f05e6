/** Time as one node sees it: a monotonic clock that may drift and stand still, a wall clock that may step, and Node's timer rules. */
import { type Clock, MAX_TIMER_MS, type Timer } from '../../clock.js';
import { offAbort, onAbort } from './abort.js';
import type { SimulatedEvent } from './eventQueue.js';
import type { Kernel } from './kernel.js';

/** What the arithmetic of times may be off. */
const ROUNDING_MS = 1e-6;

export interface NodeClockOptions {
  /** What its monotonic clock reads at the beginning. */
  readonly startMs: number;
  readonly wallStartMs: number;
  /** How fast both clocks run: 1.00005 gains 50 µs a second. Default 1. */
  readonly rate?: number;
}

export interface Inbox {
  /** Whether what is due reaches the process at once. */
  readonly runs: () => boolean;
  readonly deliver: (act: () => void) => void;
}

/** A timer is its own event, so that setting one makes nothing else. */
class NodeTimer implements SimulatedEvent, Timer {
  dueMs = 0;
  order = 0;
  cancelled = false;

  constructor(
    readonly what: string,
    /** What the process's clock reads when it is due. */
    readonly readsMs: number,
    readonly fire: () => void,
    private readonly due: (timer: NodeTimer) => void,
  ) {}

  act(): void {
    this.due(this);
  }

  cancel(): void {
    this.cancelled = true;
  }
}

export class NodeClock implements Clock {
  readonly #kernel: Kernel;
  readonly #name: string;
  readonly #rate: number;
  /** Hands what is due to the process: at once, later, or never. */
  readonly #deliver: Inbox['deliver'];
  readonly #runs: Inbox['runs'];
  #monotonicOffsetMs: number;
  #wallOffsetMs: number;

  constructor(kernel: Kernel, name: string, options: NodeClockOptions, inbox: Inbox) {
    this.#kernel = kernel;
    this.#name = `timer ${name}`;
    this.#rate = options.rate ?? 1;
    this.#deliver = inbox.deliver;
    this.#runs = inbox.runs;
    this.#monotonicOffsetMs = options.startMs;
    this.#wallOffsetMs = options.wallStartMs - options.startMs;
  }

  readonly monotonicMs = (): number => this.#kernel.nowMs * this.#rate + this.#monotonicOffsetMs;
  readonly wallMs = (): number => Math.floor(this.monotonicMs() + this.#wallOffsetMs);
  readonly sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const wake = () => {
        timer.cancel();
        if (signal !== undefined) offAbort(signal, wake);
        resolve();
      };
      const timer = this.setTimer(delayMs, wake);
      if (signal !== undefined) onAbort(signal, wake);
    });

  /** The process's loop knows whole milliseconds only: a delay is cut to them, and 0 is 1. A timer may so fire up to a millisecond early. */
  readonly setTimer = (delayMs: number, fire: () => void): Timer => {
    if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) throw new RangeError(`delayMs = ${delayMs}: must be between 0 and ${MAX_TIMER_MS}`);
    const readsMs = Math.floor(this.monotonicMs()) + Math.max(1, Math.trunc(delayMs));
    const timer = new NodeTimer(this.#name, readsMs, fire, this.#due);
    this.#kernel.put(timer, this.#trueTimeOf(readsMs));
    return timer;
  };

  readonly #due = (timer: NodeTimer): void => {
    if (this.#runs()) this.#ring(timer);
    else this.#deliver(() => this.#ring(timer));
  };

  #ring(timer: NodeTimer): void {
    if (timer.cancelled) return;
    // The host was suspended meanwhile: its clock stood still, and its timers with it.
    if (this.monotonicMs() < timer.readsMs - ROUNDING_MS) return this.#kernel.put(timer, this.#trueTimeOf(timer.readsMs));
    timer.cancelled = true;
    timer.fire();
  }

  /** Steps the wall clock; durations do not notice. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** The host slept for so long: the monotonic clock stood still, the wall clock went on. */
  suspended(forMs: number): void {
    this.#monotonicOffsetMs -= forMs * this.#rate;
    this.#wallOffsetMs += forMs * this.#rate;
  }

  #trueTimeOf(monotonicMs: number): number {
    return (monotonicMs - this.#monotonicOffsetMs) / this.#rate;
  }
}
