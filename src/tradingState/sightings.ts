/** Decides who has shown progress, on the reader's own clock: the sender's word and its timestamps count for nothing. */

export interface Sighting<T> {
  readonly name: string;
  readonly generation: string;
  /** The newest record of this generation. */
  readonly value: T;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** How often the sequence was seen to advance. One sight alone proves nothing: it may be the last word of the dead. */
  readonly advances: number;
  /** When it last advanced; absent while it has been seen only once. */
  readonly lastAdvanceMs: number | undefined;
  readonly sequence: number;
}

/** Generations that have not been seen for this long are dropped: a crash loop must not fill the memory. */
export const SIGHTING_RETENTION_MS = 60_000;

/** What a reader has seen of each generation of each name. A replayed record never counts: its sequence is not higher. */
export class Sightings<T> {
  readonly #seen = new Map<string, Sighting<T>>();

  /** `atMs`: when the record surely was not yet older than this on the reader's clock. */
  note(name: string, generation: string, sequence: number, value: T, atMs: number): void {
    const slot = `${name}\n${generation}`;
    const known = this.#seen.get(slot);
    if (known === undefined) {
      this.#prune(atMs);
      const first = { name, generation, value, firstSeenMs: atMs, lastSeenMs: atMs, advances: 0, lastAdvanceMs: undefined, sequence };
      this.#seen.set(slot, first);
      return;
    }
    const advanced = sequence > known.sequence;
    this.#seen.set(slot, {
      ...known,
      lastSeenMs: Math.max(known.lastSeenMs, atMs),
      ...(sequence >= known.sequence ? { value, sequence } : {}),
      ...(advanced ? { advances: known.advances + 1, lastAdvanceMs: Math.max(known.lastAdvanceMs ?? atMs, atMs) } : {}),
    });
  }

  all(): readonly Sighting<T>[] {
    return [...this.#seen.values()];
  }

  /** Those who advanced within `withinMs` before `nowMs`. */
  alive(nowMs: number, withinMs: number): readonly Sighting<T>[] {
    return this.all().filter(({ lastAdvanceMs }) => lastAdvanceMs !== undefined && nowMs - lastAdvanceMs <= withinMs);
  }

  /** Forgets all: what was seen before proves nothing any more. */
  clear(): void {
    this.#seen.clear();
  }

  #prune(nowMs: number): void {
    for (const [slot, sighting] of this.#seen) {
      if (nowMs - sighting.lastSeenMs > SIGHTING_RETENTION_MS) this.#seen.delete(slot);
    }
  }
}
