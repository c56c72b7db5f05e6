/**
 * One read that waits, for all breakers of a process on one bus: whoever changes the trips of a strategy rings. A hundred strategies would else
 * hold a hundred connections. A ring is a hint and may be lost: everyone reads again after its own time anyway.
 */
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { callWithin, settleWithin } from '../deadline.js';
import { BELL_LATCH, decodeRing, encodeRing } from '../messages/breaker.js';
import { quietSleep } from '../tradingState/tail.js';

type LatchBus = Pick<Bus, 'latch'>;

const BLOCK_MS = 5_000;
const CALL_MS = 1_000;
const RETRY_MS = 250;

class TripBell {
  readonly #bus: LatchBus;
  readonly #clock: Clock;
  /** By strategy, what wakes those who follow it. */
  readonly #followers = new Map<string, Set<() => void>>();
  #listening: AbortController | undefined;
  /** Strategies whose change has not been told yet. */
  #due = new Set<string>();
  #isRinging = false;

  constructor(bus: LatchBus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  /** Calls `wake` at each ring for the strategy, and at each that may be for it. Returns how to stop. */
  follow(strategyId: string, wake: () => void): () => void {
    const others = this.#followers.get(strategyId) ?? new Set();
    this.#followers.set(strategyId, others.add(wake));
    if (this.#listening === undefined) {
      this.#listening = new AbortController();
      void this.#listen(this.#listening.signal);
    }
    return () => {
      others.delete(wake);
      if (others.size === 0) this.#followers.delete(strategyId);
      if (this.#followers.size > 0) return;
      this.#listening?.abort();
      this.#listening = undefined;
    };
  }

  /** Never rejects, and nobody waits for it. */
  ring(strategyId: string): void {
    this.#due.add(strategyId);
    if (!this.#isRinging) void this.#ringOut();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    let known: number | undefined;
    while (!signal.aborted) {
      const startedMs = this.#clock.monotonicMs();
      try {
        const watched = this.#bus.latch(BELL_LATCH).watch(known ?? -1, { blockMs: BLOCK_MS, signal });
        const result = await settleWithin(this.#clock, watched, BLOCK_MS + CALL_MS);
        if (signal.aborted) return;
        if (!result.settled) throw new Error('the bus did not answer in time');
        const { version, fields } = result.value;
        if (version !== known) this.#wake(version === (known ?? Number.NaN) + 1 ? decodeRing(fields) : undefined);
        // A bus that answers at once, against its contract, must not spin this loop.
        else if (this.#clock.monotonicMs() === startedMs) await quietSleep(this.#clock, 1, signal);
        known = version;
      } catch {
        // Whoever follows reads for itself, and says what is wrong.
        known = undefined;
        await quietSleep(this.#clock, RETRY_MS, signal);
      }
    }
  }

  /** Undefined: any of them may have changed. */
  #wake(strategyIds: readonly string[] | undefined): void {
    for (const id of strategyIds ?? this.#followers.keys()) for (const wake of this.#followers.get(id) ?? []) wake();
  }

  async #ringOut(): Promise<void> {
    this.#isRinging = true;
    while (this.#due.size > 0) {
      const told = this.#due;
      this.#due = new Set();
      const isHeard = await this.#tell([...told]);
      // Somebody else has rung at the same time, for strategies of its own.
      if (!isHeard) for (const id of told) this.#due.add(id);
    }
    this.#isRinging = false;
  }

  /** False: to be told again. A bus that cannot be reached is not rung. */
  async #tell(strategyIds: readonly string[]): Promise<boolean> {
    try {
      const told = await callWithin(
        this.#clock,
        async () => {
          const latch = this.#bus.latch(BELL_LATCH);
          const { version } = await latch.get();
          return latch.compareAndSet(version, encodeRing(strategyIds));
        },
        CALL_MS,
      );
      return !(told.settled && told.value.outcome === 'conflict');
    } catch {
      return true;
    }
  }
}

const bells = new WeakMap<LatchBus, Map<Clock, TripBell>>();

/** That of a bus. */
export function bellOf(bus: LatchBus, clock: Clock): TripBell {
  const byClock = bells.get(bus) ?? new Map<Clock, TripBell>();
  bells.set(bus, byClock);
  const bell = byClock.get(clock) ?? new TripBell(bus, clock);
  byClock.set(clock, bell);
  return bell;
}
