/** Plays a schedule's faults into a world: at their moments, or when what they wait for happens first. */
import type { Timer } from '../../clock.js';
import { PANIC_COMPLETED } from '../../messages/completion.js';
import { EXIT_BRAIN_HEARTBEAT } from '../../messages/heartbeat.js';
import { PANIC_CLOSE } from '../../messages/panicClose.js';
import { timingsOf } from '../world/timings.js';
import type { World } from '../world/world.js';
import { inject } from './inject.js';
import type { Fault, Occasion, Schedule } from './schedule.js';

/** So long before the accusation of a brain that is silent while positions are open. */
const BEFORE_ACCUSED_MS = 600;

/** What happened to a fault, for the timeline and for the count of those that struck. */
export interface Stroke {
  readonly atMs: number;
  readonly fault: Fault;
  readonly what: 'begins' | 'ends';
}

export class FaultPlayer {
  readonly strokes: Stroke[] = [];
  readonly #world: World;
  readonly #waiting: { readonly on: Occasion; readonly fault: Fault }[] = [];
  readonly #undos: (() => void)[] = [];
  #healed = false;
  #seenEvents = 0;
  #overdue: Timer | undefined;

  constructor(world: World, schedule: Schedule) {
    this.#world = world;
    for (const fault of schedule.faults) {
      if (fault.on === undefined) world.kernel.at(fault.atMs, fault.kind, () => this.#begin(fault));
      else this.#waiting.push({ on: fault.on, fault });
    }
    world.redis.server.observe((change) => {
      if (change.do !== 'append') return;
      if (change.stream === EXIT_BRAIN_HEARTBEAT) this.#beaten();
      else if (change.stream === PANIC_CLOSE) this.#happened('panic');
      if (change.stream === PANIC_COMPLETED) this.#happened('completion');
    });
  }

  /** Called after each step: what a worker's orders do at the venue is an occasion. */
  look(): void {
    if (this.#waiting.length === 0) return;
    if (this.#world.trips.length > 0) this.#happened('trip');
    const events = this.#world.venue.events();
    for (; this.#seenEvents < events.length; this.#seenEvents += 1) {
      const event = events[this.#seenEvents];
      if (event === undefined || !('source' in event) || !event.source.startsWith('worker')) continue;
      if (event.kind === 'request' && event.what === 'submit') this.#happened('close');
      else if (event.kind === 'fill') this.#happened('fill');
    }
  }

  /** Ends every fault, the last first, and lets none begin any more. Whoever is dead starts again. */
  heal(): void {
    this.#healed = true;
    for (const undo of this.#undos.splice(0).toReversed()) undo();
    for (const name of this.#world.names) {
      this.#world.process(name)?.resume();
      this.#world.start(name);
    }
  }

  /** The brain was heard: unless it is heard again, it will be accused. */
  #beaten(): void {
    this.#overdue?.cancel();
    this.#overdue = undefined;
    if (!this.#waiting.some(({ on }) => on === 'overdue')) return;
    const overdueMs = timingsOf(this.#world.setup).rules.unguardedMs - BEFORE_ACCUSED_MS;
    const event = this.#world.kernel.after(overdueMs, 'overdue', () => this.#happened('overdue'));
    this.#overdue = {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  #happened(occasion: Occasion): void {
    const due = this.#waiting.filter(({ on }) => on === occasion);
    if (due.length === 0) return;
    const { kernel } = this.#world;
    for (const waiting of due) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      kernel.after(waiting.fault.atMs, waiting.fault.kind, () => this.#begin(waiting.fault));
    }
  }

  #begin(fault: Fault): void {
    if (this.#healed) return;
    const { kernel } = this.#world;
    this.strokes.push({ atMs: kernel.nowMs, fault, what: 'begins' });
    const undo = inject(this.#world, fault);
    let undone = false;
    const end = () => {
      if (undone) return;
      undone = true;
      undo();
      this.strokes.push({ atMs: kernel.nowMs, fault, what: 'ends' });
    };
    this.#undos.push(end);
    if (fault.forMs > 0) kernel.after(fault.forMs, `end of ${fault.kind}`, end);
  }
}
