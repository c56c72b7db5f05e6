/** The trips that resets on their way are about to take away: several may be, each until it is told what became of it. */
export class Leaving {
  readonly #resets = new Set<ReadonlySet<string>>();

  /** Returns how to say that the reset has ended. */
  begin(ids: ReadonlySet<string>): () => void {
    // One of its own: the same trips may be asked to leave twice.
    const leaving = new Set(ids);
    this.#resets.add(leaving);
    return () => void this.#resets.delete(leaving);
  }

  ids(): ReadonlySet<string> {
    return new Set([...this.#resets].flatMap((ids) => [...ids]));
  }
}
