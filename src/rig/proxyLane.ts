/**
 * One direction of a proxied connection: what one side sends reaches the other whole and in order, when it may. A connection that
 * lost bytes and went on would be a fault that no network has.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.js';

/**
 * `open`: bytes go on. `stalled`: none are taken from the sender, whose own buffers fill. `swallowed`: the sender is told that they
 * arrived, and they go no further.
 */
export type LaneState = 'open' | 'stalled' | 'swallowed';

/** As much as is held before the sender must wait, as it would on any line. */
const HELD_BYTES_MAX = 16 * 1_024 * 1_024;

export class ProxyLane {
  readonly #queue: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  readonly #clock: Clock;
  readonly #from: Socket;
  readonly #to: Socket;
  #state: LaneState = 'open';
  #heldBytes = 0;
  /** The receiver takes no more for now. */
  #full = false;
  #timer: Timer | undefined;
  #ended = false;

  constructor(clock: Clock, from: Socket, to: Socket) {
    this.#clock = clock;
    this.#from = from;
    this.#to = to;
    to.on('drain', () => {
      this.#full = false;
      this.#flush();
    });
  }

  get heldBytes(): number {
    return this.#heldBytes + this.#to.writableLength;
  }

  take(bytes: Buffer, delayMs: number): void {
    this.#queue.push({ bytes, dueMs: this.#clock.monotonicMs() + delayMs });
    this.#heldBytes += bytes.length;
    this.#flush();
  }

  /** The sender has said its last word: the receiver hears it after everything before it. */
  end(): void {
    this.#ended = true;
    this.#flush();
  }

  set(state: LaneState): void {
    this.#state = state;
    this.#flush();
  }

  drop(): void {
    this.#timer?.cancel();
    this.#queue.length = 0;
    this.#heldBytes = 0;
    this.#full = false;
  }

  #flush(): void {
    this.#timer?.cancel();
    if (this.#state === 'open') this.#passOn();
    if (this.#state === 'stalled' || this.#full || this.#heldBytes >= HELD_BYTES_MAX) this.#from.pause();
    else this.#from.resume();
  }

  #passOn(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let next = this.#queue[0]; next !== undefined && !this.#full; next = this.#queue[0]) {
      if (next.dueMs > nowMs) {
        this.#timer = this.#clock.setTimer(next.dueMs - nowMs, () => this.#flush(), { keepAlive: false });
        return;
      }
      this.#queue.shift();
      this.#heldBytes -= next.bytes.length;
      this.#full = !this.#to.write(next.bytes);
    }
    if (this.#ended && this.#queue.length === 0) this.#to.end();
  }
}
