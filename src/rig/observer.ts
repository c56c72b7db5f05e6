/** An observer of the bus that no injector can reach: it only reads, and stamps what it sees with its own clock. */
import { type Bus, type BusRecord, type Cursor, FROM_START } from '../bus/bus.js';
import { type Clock, systemClock } from '../clock.js';
import { AUDIT, type AuditEntry, decodeAuditEntry } from '../messages/audit.js';
import {
  type Completion,
  decodeCompletion,
  decodeEscalation,
  type Escalation,
  PANIC_COMPLETED,
  PANIC_ESCALATED,
} from '../messages/completion.js';
import type { Decoded, Fields } from '../messages/fields.js';
import { type BrainBeat, decodeBrainBeat, EXIT_BRAIN_HEARTBEAT } from '../messages/heartbeat.js';
import { decodeHolderReport, type HolderReport, LEASE_HOLDER } from '../messages/holder.js';
import { decodePanicClose, PANIC_CLOSE, type PanicClose } from '../messages/panicClose.js';
import { decodePeerBeat, EXIT_WORKER_HEARTBEAT, type PeerBeat, WATCHDOG_HEARTBEAT } from '../messages/peerBeat.js';
import { TRADING_STATE, type TradingState } from '../messages/tradingState.js';
import { readTradingState } from '../tradingState/read.js';

export interface Seen<T> {
  /** The observer's monotonic clock. */
  readonly atMs: number;
  readonly value: T;
}

/** Everything that was seen, in the order in which it was seen. */
export interface BusSight {
  readonly panics: readonly Seen<PanicClose>[];
  readonly completions: readonly Seen<Completion>[];
  readonly escalations: readonly Seen<Escalation>[];
  readonly brainBeats: readonly Seen<BrainBeat>[];
  readonly watchdogBeats: readonly Seen<PeerBeat>[];
  readonly workerBeats: readonly Seen<PeerBeat>[];
  readonly holders: readonly Seen<HolderReport>[];
  readonly audit: readonly Seen<AuditEntry>[];
  /** Each change of the trading state. */
  readonly states: readonly Seen<TradingState>[];
  readonly unreadable: readonly string[];
}

interface Tailed<T> {
  readonly stream: string;
  readonly decode: (fields: Fields) => Decoded<T>;
  readonly into: Seen<T>[];
}

export class BusObserver {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #tasks: Promise<void>[] = [];
  readonly #onChange: () => void;
  readonly #panics: Seen<PanicClose>[] = [];
  readonly #completions: Seen<Completion>[] = [];
  readonly #escalations: Seen<Escalation>[] = [];
  readonly #brainBeats: Seen<BrainBeat>[] = [];
  readonly #watchdogBeats: Seen<PeerBeat>[] = [];
  readonly #workerBeats: Seen<PeerBeat>[] = [];
  readonly #holders: Seen<HolderReport>[] = [];
  readonly #audit: Seen<AuditEntry>[] = [];
  readonly #states: Seen<TradingState>[] = [];
  readonly #unreadable: string[] = [];

  /** `onChange` is called after each new sight. */
  constructor(bus: Bus, onChange: () => void = () => {}, clock: Clock = systemClock) {
    this.#bus = bus;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#tail({ stream: PANIC_CLOSE, decode: decodePanicClose, into: this.#panics });
    this.#tail({ stream: PANIC_COMPLETED, decode: decodeCompletion, into: this.#completions });
    this.#tail({ stream: PANIC_ESCALATED, decode: decodeEscalation, into: this.#escalations });
    this.#tail({ stream: EXIT_BRAIN_HEARTBEAT, decode: decodeBrainBeat, into: this.#brainBeats });
    this.#tail({ stream: WATCHDOG_HEARTBEAT, decode: decodePeerBeat, into: this.#watchdogBeats });
    this.#tail({ stream: EXIT_WORKER_HEARTBEAT, decode: decodePeerBeat, into: this.#workerBeats });
    this.#tail({ stream: LEASE_HOLDER, decode: decodeHolderReport, into: this.#holders });
    this.#tail({ stream: AUDIT, decode: decodeAuditEntry, into: this.#audit });
    this.#tasks.push(this.#followState());
  }

  sight(): BusSight {
    return {
      panics: this.#panics,
      completions: this.#completions,
      escalations: this.#escalations,
      brainBeats: this.#brainBeats,
      watchdogBeats: this.#watchdogBeats,
      workerBeats: this.#workerBeats,
      holders: this.#holders,
      audit: this.#audit,
      states: this.#states,
      unreadable: this.#unreadable,
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#tasks);
  }

  #tail<T>(tailed: Tailed<T>): void {
    this.#tasks.push(
      followStream(this.#bus, tailed.stream, this.#clock, this.#stop.signal, (record) => {
        const decoded = tailed.decode(record.fields);
        if (decoded.ok) tailed.into.push({ atMs: record.receivedMs, value: decoded.value });
        else this.#unreadable.push(`${tailed.stream} ${record.id}: ${decoded.problem}`);
        this.#onChange();
      }),
    );
  }

  async #followState(): Promise<void> {
    let version = -1;
    while (!this.#stop.signal.aborted) {
      try {
        const reading = await readTradingState(this.#bus);
        if (reading.version !== version) {
          version = reading.version;
          this.#states.push({ atMs: this.#clock.monotonicMs(), value: reading.state });
          this.#onChange();
        }
        await this.#bus.latch(TRADING_STATE).watch(version, { blockMs: 500, signal: this.#stop.signal });
      } catch {
        // Not seeing is no sight: the judge counts what was seen.
        await this.#clock.sleep(20, this.#stop.signal);
      }
    }
  }
}

/** Calls `hear` with each record from the first on, once, until the signal aborts. */
export async function followStream(
  bus: Bus,
  stream: string,
  clock: Clock,
  signal: AbortSignal,
  hear: (record: BusRecord) => void,
): Promise<void> {
  let cursor: Cursor = FROM_START;
  const heard = new Set<string>();
  while (!signal.aborted) {
    try {
      const page = await bus.read(stream, cursor, { blockMs: 1_000, signal });
      cursor = page.cursor;
      for (const record of page.records) {
        // Behind a failover a reader goes back over what it has read. Another server can give a known id to another record.
        const what = `${record.id} ${JSON.stringify(record.fields)}`;
        if (!heard.has(what)) hear(record);
        heard.add(what);
      }
    } catch {
      // No contact now; what is on the bus will be read when contact is back.
      await clock.sleep(20, signal);
    }
  }
}
