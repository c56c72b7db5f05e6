/** What is still to happen in a simulation, by due time and then by order of scheduling. */

export interface SimulatedEvent {
  dueMs: number;
  order: number;
  /** What a trace says of it. */
  readonly what: string;
  cancelled: boolean;
  act(): void;
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** A binary heap. Cancelled events stay until their time comes, and are then passed over. */
export class EventQueue {
  readonly #heap: SimulatedEvent[] = [];
  #scheduled = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(dueMs: number, what: string, act: () => void): SimulatedEvent {
    const event: SimulatedEvent = { dueMs, order: 0, what, cancelled: false, act };
    this.put(event);
    return event;
  }

  /** One that is not in the queue now, with its due time set: what happens often is its own event, and is put in again and again. */
  put(event: SimulatedEvent): void {
    event.order = this.#scheduled++;
    this.#heap.push(event);
    this.#up(this.#heap.length - 1);
  }

  /** The next event that is due by `untilMs`; undefined: none. */
  take(untilMs: number): SimulatedEvent | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.dueMs > untilMs) return undefined;
      const last = this.#heap.pop();
      if (last !== undefined && last !== first) {
        this.#heap[0] = last;
        this.#down();
      }
      if (!first.cancelled) return first;
    }
  }

  #up(from: number): void {
    const heap = this.#heap;
    const moved = heap[from];
    if (moved === undefined) return;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(moved, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = moved;
  }

  #down(): void {
    const heap = this.#heap;
    const moved = heap[0];
    if (moved === undefined) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, moved)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = moved;
  }
}
