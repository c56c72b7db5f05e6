/** A fingerprint of everything that happened, in order: two runs of one seed are the same run exactly when theirs are equal. */

const MULTIPLIER_A = 0x85ebca6b;
const MULTIPLIER_B = 0xc2b2ae35;
const FNV_PRIME = 0x01000193;

/** Two mixed 32-bit words: no secret is kept, and each event must cost next to nothing. */
export class TraceHash {
  #a = 0x9e3779b9 | 0;
  #b = 0x7f4a7c15 | 0;
  #events = 0;
  readonly #names = new Map<string, number>();
  readonly #double = new Float64Array(1);
  readonly #words = new Int32Array(this.#double.buffer);

  get events(): number {
    return this.#events;
  }

  add(atMs: number, what: string): void {
    this.#events += 1;
    this.#double[0] = atMs;
    this.#word(this.#words[0] ?? 0);
    this.#word(this.#words[1] ?? 0);
    this.#word(this.#named(what));
  }

  /** The same few texts come again and again: each is mixed once. */
  #named(what: string): number {
    let word = this.#names.get(what);
    if (word === undefined) {
      word = 0x811c9dc5 | 0;
      for (let index = 0; index < what.length; index += 1) word = Math.imul(word ^ what.charCodeAt(index), FNV_PRIME);
      this.#names.set(what, word);
    }
    return word;
  }

  text(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.#word(text.charCodeAt(index));
    this.#word(text.length);
  }

  #word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, MULTIPLIER_A);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul(this.#b ^ word, MULTIPLIER_B) + this.#a;
    this.#b ^= this.#b >>> 13;
  }

  digest(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#a) + hex(this.#b);
  }
}
