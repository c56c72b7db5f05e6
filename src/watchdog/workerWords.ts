/** What the exit workers say of each account's open positions, for as long as they keep saying it. */
import { BOOK_AGE_MAX_MS, type PeerBeat } from '../messages/peerBeat.js';

/** What a worker said is worth no longer than a book that it read then. */
export const WORKER_WORD_MAX_AGE_MS = BOOK_AGE_MAX_MS;

interface WorkerWord {
  readonly account: string;
  readonly positions: number;
  readonly generation: string;
  readonly sequence: number;
  readonly saidMs: number;
}

export class WorkerWords {
  readonly #words = new Map<string, WorkerWord>();
  readonly #openSince = new Map<string, number>();

  /** Times are on the watchdog's healthy clock. True: what is known of a book has changed, from nothing or between flat and open. */
  hear(beat: PeerBeat, atMs: number): boolean {
    const { worker, generation, sequence } = beat;
    if (worker?.positions === undefined || worker.bookAgeMs === undefined || !worker.identityMatches) return false;
    if (worker.bookAgeMs > BOOK_AGE_MAX_MS) return false;
    const before = this.#words.get(beat.peerId);
    if (before !== undefined && before.generation === generation && before.sequence >= sequence) return false;
    const openBefore = this.positions(worker.account, atMs);
    this.#words.set(beat.peerId, {
      account: worker.account,
      positions: worker.positions,
      generation,
      sequence,
      saidMs: atMs,
    });
    const isOpen = (this.positions(worker.account, atMs) ?? 0) > 0;
    const wasOpen = (openBefore ?? 0) > 0;
    if (isOpen && !wasOpen) this.#openSince.set(worker.account, atMs);
    return openBefore === undefined || wasOpen !== isOpen;
  }

  /** The largest number that any worker of the account says; undefined: nobody says anything. */
  positions(account: string, nowMs: number): number | undefined {
    let most: number | undefined;
    for (const word of this.#words.values()) {
      if (word.account !== account || nowMs - word.saidMs > WORKER_WORD_MAX_AGE_MS) continue;
      most = Math.max(most ?? 0, word.positions);
    }
    return most;
  }

  /** When the account's book was first said to be open, without a break since. */
  openSinceMs(account: string): number {
    return this.#openSince.get(account) ?? 0;
  }

  /** Words that were said before are worth nothing any more, and their workers are long gone. */
  forget(beforeMs: number): void {
    for (const [peerId, word] of this.#words) if (word.saidMs < beforeMs) this.#words.delete(peerId);
  }

  accounts(): readonly string[] {
    return [...new Set([...this.#words.values()].map((word) => word.account))];
  }
}
