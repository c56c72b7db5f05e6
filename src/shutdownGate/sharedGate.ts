/** The stop flag and the count of orders in flight of one gate that several worker threads share, in shared memory. */
import { ConfigurationError } from '../errors.js';

// The layout, in 32-bit words. A thread counts itself in and then reads the flag; the closer sets the flag and then reads the
// count: whichever comes first, the other one sees it.
const MAGIC = 0x66_66_67_31;
const MAGIC_AT = 0;
const FLAG_AT = 1;
const COUNT_AT = 2;
const REASON_BYTES_AT = 3;
const SINCE_WALL_BYTE = 16;
const REASON_BYTE = 24;
const REASON_MAX_BYTES = 488;
const SIZE_BYTES = REASON_BYTE + REASON_MAX_BYTES;

const OPEN = 0;
const CLOSING = 1;
const CLOSED = 2;

/** Memory for one gate of several threads: hand it to each as `workerData`, and there to `createShutdownGate({ shared })`. */
export function sharedGateMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SIZE_BYTES);
  Atomics.store(new Int32Array(memory), MAGIC_AT, MAGIC);
  return memory;
}

export interface SharedRequest {
  readonly reason: string;
  readonly sinceWallMs: number;
}

/** The gate is shut, and its closer has not written yet why: it may have been stopped between the two. */
export const CLOSER_AT_WORK: SharedRequest = { reason: 'another thread is shutting down', sinceWallMs: Number.NaN };

export class SharedGate {
  readonly #words: Int32Array;
  readonly #memory: SharedArrayBuffer;

  /** Throws {@link ConfigurationError} for memory that {@link sharedGateMemory} did not make. */
  constructor(memory: unknown) {
    if (!(memory instanceof SharedArrayBuffer) || memory.byteLength !== SIZE_BYTES || new Int32Array(memory)[MAGIC_AT] !== MAGIC) {
      throw new ConfigurationError('shared', memory, 'must be memory made by sharedGateMemory()');
    }
    this.#memory = memory;
    this.#words = new Int32Array(memory);
  }

  count(): number {
    return Atomics.load(this.#words, COUNT_AT);
  }

  countIn(): void {
    Atomics.add(this.#words, COUNT_AT, 1);
  }

  countOut(): void {
    Atomics.sub(this.#words, COUNT_AT, 1);
  }

  /** The first reason stays. The flag is set before the words are written: nobody is let in meanwhile. */
  close({ reason, sinceWallMs }: SharedRequest): void {
    if (Atomics.compareExchange(this.#words, FLAG_AT, OPEN, CLOSING) !== OPEN) return;
    // Copied in a buffer of its own: an encoder does not write into shared memory.
    const words = new TextEncoder().encode(reason).subarray(0, REASON_MAX_BYTES);
    new Uint8Array(this.#memory, REASON_BYTE).set(words);
    new Float64Array(this.#memory, SINCE_WALL_BYTE, 1)[0] = sinceWallMs;
    Atomics.store(this.#words, REASON_BYTES_AT, words.byteLength);
    Atomics.store(this.#words, FLAG_AT, CLOSED);
  }

  /** Undefined while the gate is open. */
  request(): SharedRequest | undefined {
    const flag = Atomics.load(this.#words, FLAG_AT);
    if (flag === OPEN) return undefined;
    if (flag !== CLOSED) return CLOSER_AT_WORK;
    const bytes = Uint8Array.from(new Uint8Array(this.#memory, REASON_BYTE, Atomics.load(this.#words, REASON_BYTES_AT)));
    const [sinceWallMs = Number.NaN] = new Float64Array(this.#memory, SINCE_WALL_BYTE, 1);
    return { reason: new TextDecoder().decode(bytes), sinceWallMs };
  }
}
