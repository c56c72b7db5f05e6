/** The places of a probe that were granted to orders, until the door tells what became of each. */
export class ProbeGrants {
  #open = 0;
  /** Whether the order that was asked about last has one: a refusal by somebody else is of that order, and gives back no other's. */
  #isOfLast = false;

  /** Granted, and not told of yet. */
  get open(): number {
    return this.#open;
  }

  /** The next order is asked about. */
  asked(): void {
    this.#isOfLast = false;
  }

  grant(): void {
    this.#open += 1;
    this.#isOfLast = true;
  }

  /** An order was let in: whether one was open for it. */
  admitted(): boolean {
    if (this.#open === 0) return false;
    this.#open -= 1;
    this.#isOfLast = false;
    return true;
  }

  /** Somebody else refused an order. */
  refused(): void {
    if (!this.#isOfLast) return;
    this.#open -= 1;
    this.#isOfLast = false;
  }

  clear(): void {
    this.#open = 0;
    this.#isOfLast = false;
  }
}
