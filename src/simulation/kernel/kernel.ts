/** The one true time of a simulation, and the order in which things happen in it. */
import type { Random } from '../../random.js';
import { type DrainKind, runDrained } from './drain.js';
import { EventQueue, type SimulatedEvent } from './eventQueue.js';
import { TraceHash } from './trace.js';

/** Hours of a bug that schedules itself for now are cut short. */
const MAX_EVENTS_AT_ONE_TIME = 200_000;

/** Something that never yields: virtual time stands still while it goes on. */
export class SimulationStuckError extends Error {}

export class Kernel {
  readonly random: Random;
  readonly trace = new TraceHash();
  readonly #queue = new EventQueue();
  readonly #drain: DrainKind | undefined;
  readonly #pace: (() => number) | undefined;
  #nowMs = 0;
  #atThisTime = 0;
  /** Requests and answers that have arrived. */
  messages = 0;
  /** Called after each event, with everything settled. */
  onStep: () => void = () => {};

  /** `pace`: where simulated time is driven by a real clock, what that clock says. */
  constructor(random: Random, drain?: DrainKind, pace?: () => number) {
    this.random = random;
    this.#drain = drain;
    this.#pace = pace;
  }

  /** Milliseconds since the beginning, on no node's clock. */
  get nowMs(): number {
    return this.#pace === undefined ? this.#nowMs : Math.max(this.#nowMs, this.#pace());
  }

  /** `what` goes into the trace when it happens. */
  at(dueMs: number, what: string, act: () => void): SimulatedEvent {
    return this.#queue.add(Math.max(dueMs, this.nowMs), what, act);
  }

  /** As {@link at}, for what is its own event. It must not be due already. */
  put(event: SimulatedEvent, dueMs: number): void {
    event.dueMs = Math.max(dueMs, this.nowMs);
    this.#queue.put(event);
  }

  after(delayMs: number, what: string, act: () => void): SimulatedEvent {
    return this.at(this.nowMs + delayMs, what, act);
  }

  /** Runs all that is due by then, in order. Throws {@link SimulationStuckError} where time stands still. */
  async runUntil(untilMs: number): Promise<void> {
    await runDrained(() => {
      this.onStep();
      return this.#step(untilMs);
    }, this.#drain);
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #step(untilMs: number): boolean {
    const event = this.#queue.take(untilMs);
    if (event === undefined) return false;
    if (event.dueMs > this.#nowMs) this.#atThisTime = 0;
    else if (++this.#atThisTime > MAX_EVENTS_AT_ONE_TIME) {
      throw new SimulationStuckError(`${event.what}: happened ${MAX_EVENTS_AT_ONE_TIME} times at ${this.#nowMs} ms without time moving on`);
    }
    this.#nowMs = Math.max(this.#nowMs, event.dueMs);
    this.trace.add(this.#nowMs, event.what);
    event.act();
    return true;
  }
}
