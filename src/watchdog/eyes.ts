/** Everything that a watchdog reads: five streams and the trading state, followed for as long as it runs. */
import { type Bus, BusDoubtError, type BusRecord, type LatchValue } from '../bus/bus.js';
import type { Clock } from '../clock.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';
import { type Completion, decodeCompletion, PANIC_COMPLETED } from '../messages/completion.js';
import type { Decoded, Fields } from '../messages/fields.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../messages/heartbeat.js';
import { decodeMaintenance, MAINTENANCE, type MaintenanceWindow } from '../messages/maintenance.js';
import { decodeWrittenPanic, PANIC_CLOSE, type WrittenPanic } from '../messages/panicClose.js';
import { decodePeerBeat, EXIT_WORKER_HEARTBEAT, type PeerBeat } from '../messages/peerBeat.js';
import { decodeTradingState, NEVER_ARMED, TRADING_STATE, type TradingState } from '../messages/tradingState.js';
import { Tail, type TailOptions } from './tail.js';
import type { Tempo } from './tempo.js';

/** What is done with each thing seen. Every handler takes repeats. */
export interface Sight {
  /** First of all at every wake-up. */
  wake(): void;
  brainBeat(beat: BrainBeat): void;
  workerBeat(beat: PeerBeat): void;
  window(window: MaintenanceWindow): void;
  panic(panic: WrittenPanic): void;
  completion(completion: Completion): void;
  state(state: TradingState): void;
  /** A record that nobody understands: it neither refreshes nor accuses. */
  malformed(where: string, problem: string): void;
}

export interface EyesOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tempo: Tempo;
  readonly sight: Sight;
}

export class Eyes {
  readonly #options: EyesOptions;
  readonly #beats: Tail;
  readonly #workers: Tail;
  readonly #windows: Tail;
  readonly #panics: Tail;
  readonly #completions: Tail;
  /** Questions for a last beat that are not answered yet. */
  readonly #asked = new Set<Promise<void>>();
  #stateVersion = -1;
  /** What stands under that version: another server gives the same number to something else. */
  #stateText = '';
  #stateReachedMs = Number.NEGATIVE_INFINITY;
  #stateSentMs = Number.NEGATIVE_INFINITY;

  constructor(options: EyesOptions) {
    this.#options = options;
    const { sight } = options;
    this.#beats = this.#tail(EXIT_BRAIN_HEARTBEAT, 'end', decodeBrainBeat, (beat) => sight.brainBeat(beat));
    this.#workers = this.#tail(EXIT_WORKER_HEARTBEAT, 'end', decodePeerBeat, (beat) => sight.workerBeat(beat));
    this.#windows = this.#tail(MAINTENANCE, 'start', decodeMaintenance, (window) => sight.window(window));
    this.#panics = this.#tail(PANIC_CLOSE, 'start', decodeWrittenPanic, (panic) => sight.panic(panic));
    this.#completions = this.#tail(PANIC_COMPLETED, 'start', decodeCompletion, (completion) => sight.completion(completion));
  }

  /** Ends when `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#tails().map((tail) => tail.follow(signal)), this.#followState(signal)]);
  }

  /** Age of the oldest contact among all that is followed: Infinity as long as something was never reached. */
  contactAgeMs(nowMs: number): number {
    return Math.max(...this.#tails().map((tail) => nowMs - tail.reachedMs), nowMs - this.#stateReachedMs);
  }

  /** Takes in everything that the bus holds now. Throws BusUnavailableError without contact. */
  async readToEnd(): Promise<void> {
    await this.#readState();
    await Promise.all(this.#tails().map((tail) => tail.readToEnd()));
    // Who is accused as never seen is accused for every account: the answer that names its own may be on its way.
    await Promise.allSettled(this.#asked);
  }

  /** The last beat of a brain that was never seen beating, if the bus still holds one. */
  async readLatest(serviceId: string): Promise<void> {
    const asked = this.#askForLatest(serviceId);
    this.#asked.add(asked);
    try {
      await asked;
    } finally {
      this.#asked.delete(asked);
    }
  }

  async #askForLatest(serviceId: string): Promise<void> {
    const { bus, sight } = this.#options;
    const record = await bus.latest(EXIT_BRAIN_HEARTBEAT, serviceId);
    const decoded = record === undefined ? undefined : decodeBrainBeat(record.fields, record.appendedWallMs);
    sight.wake();
    if (decoded?.ok === true) sight.brainBeat(decoded.value);
  }

  #tails(): readonly Tail[] {
    return [this.#completions, this.#panics, this.#windows, this.#workers, this.#beats];
  }

  #tail<T>(
    stream: string,
    from: TailOptions['from'],
    decode: (fields: Fields, appendedWallMs: number) => Decoded<T>,
    take: (value: T) => void,
  ): Tail {
    const { bus, clock, logger, sight } = this.#options;
    const { blockMs, retryMs } = this.#options.tempo;
    return new Tail({
      bus,
      stream,
      from,
      clock,
      blockMs,
      retryMs,
      wake: () => sight.wake(),
      take: (record: BusRecord) => {
        const decoded = decode(record.fields, record.appendedWallMs);
        if (decoded.ok) take(decoded.value);
        else sight.malformed(`${stream} ${record.id}`, decoded.problem);
      },
      takeCorrupt: (record) => sight.malformed(`${stream} ${record.id}`, record.problem),
      failed: (name, error) => logger.warn({ stream: name, problem: messageOf(error) }, 'stream not readable'),
    });
  }

  async #readState(): Promise<void> {
    try {
      this.#takeState(await this.#options.bus.latch(TRADING_STATE).get());
    } catch (error) {
      if (!(error instanceof BusDoubtError)) throw error;
      this.#doubtState(error.message);
    }
  }

  async #followState(signal: AbortSignal): Promise<void> {
    const { bus, clock, logger } = this.#options;
    const { blockMs, retryMs } = this.#options.tempo;
    while (!signal.aborted) {
      try {
        const latch = bus.latch(TRADING_STATE);
        const value = this.#stateVersion < 0 ? await latch.get() : await latch.watch(this.#stateVersion, { blockMs, signal });
        if (!signal.aborted) this.#takeState(value);
      } catch (error) {
        if (error instanceof BusDoubtError) this.#doubtState(error.message);
        else logger.warn({ problem: messageOf(error) }, 'trading state not readable');
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** The bus answers, but its state cannot be understood: what was known before stands, and brains are watched all the same. */
  #doubtState(problem: string): void {
    const { clock, sight } = this.#options;
    sight.wake();
    this.#stateReachedMs = clock.monotonicMs();
    sight.malformed(TRADING_STATE, problem);
  }

  #takeState(value: LatchValue): void {
    const { clock, sight } = this.#options;
    sight.wake();
    this.#stateReachedMs = clock.monotonicMs();
    // Two readers: an answer that was asked for earlier must not pass for a change back.
    if (value.sentMs < this.#stateSentMs) return;
    this.#stateSentMs = value.sentMs;
    const text = JSON.stringify(value.fields);
    if (value.version === this.#stateVersion && text === this.#stateText) return;
    this.#stateVersion = value.version;
    this.#stateText = text;
    const decoded: Decoded<TradingState> = value.version === 0 ? { ok: true, value: NEVER_ARMED } : decodeTradingState(value.fields);
    if (decoded.ok) sight.state(decoded.value);
    else sight.malformed(`${TRADING_STATE} version ${value.version}`, decoded.problem);
  }
}
