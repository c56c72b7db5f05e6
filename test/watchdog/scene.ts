/** A watchdog, its brains and a bus under one manual clock. */
import type { Alert, AlertSink } from '../../src/alert/alert.js';
import { type AppendOptions, type AppendOutcome, type Bus, type Cursor, FROM_START, type ReadOptions } from '../../src/bus/bus.js';
import { createMemoryBus } from '../../src/bus/memory.js';
import { encodeExitReport, PANIC_COMPLETED } from '../../src/messages/completion.js';
import type { Fields } from '../../src/messages/fields.js';
import { type BrainBeat, EXIT_BRAIN_HEARTBEAT, encodeBrainBeat } from '../../src/messages/heartbeat.js';
import { decodePanicClose, incidentId, PANIC_CLOSE, type PanicClose } from '../../src/messages/panicClose.js';
import { EXIT_WORKER_HEARTBEAT, encodePeerBeat } from '../../src/messages/peerBeat.js';
import { encodeTradingState, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import type { WatchdogOptions } from '../../src/watchdog/options.js';
import { assembleWatchdog, intactParts, type WatchdogParts } from '../../src/watchdog/runningWatchdog.js';
import type { Watchdog } from '../../src/watchdog/watchdogFace.js';

/** Lets a test stand between one process and the bus. */
export interface BusFaults {
  append?: (stream: string, pass: () => Promise<AppendOutcome>) => Promise<AppendOutcome>;
  out?: boolean;
  /** Reads that wait for news do not come back before this settles; reads that do not wait see everything. */
  deaf?: Promise<void>;
}

export function faultyBus(bus: Bus, faults: BusFaults): Bus {
  const lost = () => Promise.reject(new Error('no contact'));
  return new Proxy(bus, {
    get(target, name) {
      if (name === 'append') {
        return (stream: string, fields: Fields, options?: AppendOptions) => {
          if (faults.out === true) return Promise.resolve<AppendOutcome>({ outcome: 'refused', reason: 'unavailable', detail: 'out' });
          const pass = () => target.append(stream, fields, options);
          return faults.append === undefined ? pass() : faults.append(stream, pass);
        };
      }
      if (name === 'read' && faults.out !== true) {
        return async (stream: string, cursor: Cursor, options?: ReadOptions) => {
          if ((options?.blockMs ?? 0) > 0) await faults.deaf;
          return target.read(stream, cursor, options);
        };
      }
      if (faults.out === true) {
        if (name === 'probe') return () => Promise.resolve({ ok: false, detail: 'out' });
        if (name === 'read' || name === 'end' || name === 'latest') return lost;
        if (name === 'latch') return () => ({ get: lost, watch: lost, compareAndSet: lost });
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args) : value;
    },
  });
}

export interface Scene {
  readonly clock: ManualClock;
  readonly bus: Bus;
  readonly newHandle: () => Bus;
  /** Makes the newest trading state one that nobody can understand. */
  readonly spoilState: () => void;
  readonly alerts: Alert[];
  watchdog(options?: Partial<WatchdogOptions>, parts?: Partial<WatchdogParts>): Watchdog;
  arm(state?: Partial<TradingState>): Promise<void>;
  worker(positions: number, account?: string): Promise<void>;
  complete(panic: PanicClose): Promise<void>;
  panics(): Promise<PanicClose[]>;
  firstPanics(): Promise<PanicClose[]>;
  end(): Promise<void>;
}

export function scene(seed: number | string = 1): Scene {
  const clock = new ManualClock();
  const random = seededRandom(seed);
  const memory = createMemoryBus({ clock, random: random.fork('bus') });
  const bus = memory.handle();
  const alerts: Alert[] = [];
  const alert: AlertSink = { send: async (sent) => void alerts.push(sent) };
  const running: Watchdog[] = [];
  let version = 0;
  let beats = 0;
  const panics = async (): Promise<PanicClose[]> => {
    const { records } = await bus.read(PANIC_CLOSE, FROM_START);
    return records.map((record) => {
      const decoded = decodePanicClose(record.fields);
      if (!decoded.ok) throw new Error(decoded.problem);
      return decoded.value;
    });
  };
  return {
    clock,
    bus,
    newHandle: () => memory.handle(),
    spoilState: () => memory.spoilLatch(TRADING_STATE),
    alerts,
    watchdog: (options = {}, parts = {}) => {
      const watchdogId = `w${running.length + 1}`;
      const made = assembleWatchdog(
        { bus: memory.handle(), clock, random: random.fork(watchdogId), watchdogId, alert, ...options },
        { ...intactParts, ...parts },
      );
      running.push(made);
      void made.run();
      return made;
    },
    arm: async (state = {}) => {
      const armed: TradingState = {
        epoch: 1,
        mode: 'ACTIVE',
        halts: [],
        accounts: ['default'],
        services: [],
        changedBy: 'test',
        changedWallMs: clock.wallMs(),
        ...state,
      };
      const outcome = await bus.latch(TRADING_STATE).compareAndSet(version, encodeTradingState(armed));
      if (outcome.outcome !== 'committed') throw new Error(JSON.stringify(outcome));
      version = outcome.version;
    },
    worker: async (positions, account = 'default') => {
      beats += 1;
      const worker = { account, identityMatches: true, bookAgeMs: 10, positions };
      const fields = encodePeerBeat({ peerId: 'x1', generation: 'g', sequence: beats, host: 'h', bootId: 'b', pid: 1, epoch: 1, worker });
      await bus.append(EXIT_WORKER_HEARTBEAT, fields, { key: 'x1' });
    },
    complete: async (panic) => {
      const account = panic.scope ?? 'default';
      const report = {
        eventId: panic.eventId,
        incident: incidentId(account, panic.epoch),
        account,
        epoch: panic.epoch,
        verdict: 'flat',
        positionsTotal: 0,
        positionsClosed: 0,
        positionsFailed: 0,
        failedSymbols: [],
        startedWallMs: 0,
        completedWallMs: 0,
        executionTimeMs: 0,
        fencingToken: 1,
        worker: 'x1',
        silentHolders: [],
        residue: [],
      } as const;
      await bus.append(PANIC_COMPLETED, encodeExitReport(report));
    },
    panics,
    firstPanics: async () => (await panics()).filter((panic) => panic.resend === 0),
    end: async () => {
      const ended = Promise.all(running.map((watchdog) => watchdog.close()));
      await clock.advance(3_000);
      await ended;
    },
  };
}

/** A brain by hand: each beat says exactly what a test wants. */
export class HandBrain {
  readonly #bus: Bus;
  #said: BrainBeat;

  constructor(bus: Bus, said: Partial<BrainBeat> = {}) {
    this.#bus = bus;
    this.#said = {
      serviceId: 'brain',
      account: 'default',
      generation: 'g1',
      sequence: 0,
      decisionSequence: 0,
      status: 'OK',
      activePositions: 0,
      lastDecisionWallMs: 0,
      latencyMs: 0,
      wallMs: 0,
      ...said,
    };
  }

  /** The next beat; a decision comes with it unless `decisionSequence` says otherwise. */
  async beat(change: Partial<BrainBeat> = {}): Promise<Fields> {
    const { sequence, decisionSequence } = this.#said;
    this.#said = { ...this.#said, sequence: sequence + 1, decisionSequence: decisionSequence + 1, ...change };
    const fields = encodeBrainBeat(this.#said);
    await this.#bus.append(EXIT_BRAIN_HEARTBEAT, fields, { key: this.#said.serviceId });
    return fields;
  }
}
