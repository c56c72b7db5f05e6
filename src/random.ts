/** Chance as the rest of failflat sees it: seeded where a run must replay, the system's where it must be unguessable. */
import { nodeCrypto } from './onDemand.js';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An integer, uniform in [0, bound). */
  below(bound: number): number;
  /** A new identifier in UUID form. */
  id(): string;
  /** An independent stream named after its use, so that one actor's draws never shift another's. */
  fork(name: string): Random;
}

function uuidFrom(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** An identifier in UUID form that is the same for the same text: used where several senders must agree on one id. */
export function derivedId(text: string): string {
  return uuidFrom(nodeCrypto().createHash('sha256').update(text).digest());
}

/** The system's generator. */
export const systemRandom: Random = {
  next: () => nodeCrypto().randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  below: (bound) => Math.floor(systemRandom.next() * bound),
  id: () => uuidFrom(nodeCrypto().randomBytes(16)),
  fork: () => systemRandom,
};

// sfc32: small, fast and well tested; its state is four 32-bit words taken from a hash of the seed.
class SeededRandom implements Random {
  readonly #seed: string;
  readonly #state: Int32Array;

  constructor(seed: string) {
    this.#seed = seed;
    const digest = nodeCrypto().createHash('sha256').update(seed).digest();
    this.#state = Int32Array.from([0, 4, 8, 12], (offset) => digest.readInt32LE(offset));
  }

  #word(): number {
    const [a = 0, b = 0, c = 0, counter = 0] = this.#state;
    const sum = (((a + b) | 0) + counter) | 0;
    this.#state[3] = (counter + 1) | 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = (c + (c << 3)) | 0;
    this.#state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  next(): number {
    return this.#word() / 2 ** 32;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  id(): string {
    return uuidFrom(Uint8Array.from({ length: 16 }, () => this.below(256)));
  }

  fork(name: string): Random {
    return new SeededRandom(`${this.#seed}/${name}`);
  }
}

/** A generator whose draws depend on `seed` alone. */
export function seededRandom(seed: number | string): Random {
  return new SeededRandom(String(seed));
}
