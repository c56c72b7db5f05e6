/** What has become of closes, in the order in which it did: whoever counts them reads on from where it was, and not all of them after each fill. */
import type { ResultNews } from '../messages/result.js';
import type { Close } from './result.js';

/** So many of the newest changes are kept at least. Who has missed more of them reads everything again. */
export const KEPT_CHANGES = 4_096;

export interface CloseChange {
  /** Closes that no longer hold as they were told: gone, or others are told in their place. */
  readonly withdrawn: readonly Close[];
  readonly told: readonly Close[];
}

export class CloseLog {
  /** The place of the oldest change that is kept. */
  #first = 0;
  #changes: CloseChange[] = [];

  add(change: CloseChange): void {
    this.#changes.push(change);
    // Cut in large pieces: each change is then moved once at most.
    if (this.#changes.length <= 2 * KEPT_CHANGES) return;
    this.#changes = this.#changes.slice(-KEPT_CHANGES);
    this.#first += KEPT_CHANGES + 1;
  }

  /** Behind the newest change. */
  get place(): number {
    return this.#first + this.#changes.length;
  }

  /** Undefined where changes since then are no longer kept, or there never was such a place. */
  since(place: number): ResultNews | undefined {
    const isKept = Number.isInteger(place) && place >= this.#first && place <= this.place;
    return isKept ? { changes: this.#changes.slice(place - this.#first), place: this.place } : undefined;
  }
}
