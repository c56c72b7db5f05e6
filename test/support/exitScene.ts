/** A small world for emergency exits: one bus, one venue, a clock that moves when told, and workers that can be killed. */
import type { Alert } from '../../src/alert/alert.js';
import type { Broker } from '../../src/broker/broker.js';
import { type Bus, type Fields, FROM_START } from '../../src/bus/bus.js';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory.js';
import { assembleExitWorker, type ExitWorkerOptions } from '../../src/emergencyExit/worker.js';
import { intactWorkerParts, type WorkerParts } from '../../src/emergencyExit/workerContext.js';
import { AUDIT } from '../../src/messages/audit.js';
import {
  type Completion,
  decodeCompletion,
  decodeEscalation,
  type Escalation,
  PANIC_COMPLETED,
  PANIC_ESCALATED,
} from '../../src/messages/completion.js';
import { encodeHolderReport, type HolderReport, LEASE_HOLDER } from '../../src/messages/holder.js';
import { encodePanicClose, PANIC_CLOSE, type PanicClose, panicGroup } from '../../src/messages/panicClose.js';
import { encodeTradingState, TRADING_STATE, type TradingState } from '../../src/messages/tradingState.js';
import { seededRandom } from '../../src/random.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { type BrokerLine, createSimulatedVenue, type SimulatedVenue } from './simulatedBroker.js';
import { SimulatedProcess } from './simulatedProcess.js';

// The worker loads it when it starts: loaded here, that takes no real time in a test that owns the clock.
await import('p-limit');

export interface RunningWorker {
  readonly id: string;
  readonly alerts: readonly Alert[];
  /** Ends in order. */
  stop(): Promise<void>;
  /** As SIGKILL would: from now on nothing that it does reaches bus or venue. */
  kill(): void;
  /** As SIGSTOP would, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  readonly killed: () => boolean;
}

export interface WorkerSetup {
  readonly id?: string;
  readonly account?: string;
  readonly options?: Partial<ExitWorkerOptions>;
  readonly parts?: WorkerParts;
  /** Between the worker and its venue. */
  readonly wrapBroker?: (broker: Broker) => Broker;
  readonly wrapBus?: (bus: Bus) => Bus;
  readonly orderTransitMs?: BrokerLine['orderTransitMs'];
}

export interface ExitScene {
  readonly clock: ManualClock;
  readonly memory: MemoryBus;
  readonly bus: Bus;
  readonly venue: SimulatedVenue;
  worker(setup?: WorkerSetup): RunningWorker;
  arm(accounts?: readonly string[], epoch?: number): Promise<void>;
  panic(panic?: Partial<PanicClose>): Promise<void>;
  holder(report: Partial<HolderReport> & Pick<HolderReport, 'event'>): Promise<void>;
  completions(): Promise<readonly Completion[]>;
  escalations(): Promise<readonly Escalation[]>;
  audited(): Promise<readonly string[]>;
  state(): Promise<TradingState>;
  /** Panics that a worker has taken up and nobody has acknowledged. */
  unacknowledged(account?: string): Promise<number>;
  /** Moves time on in small steps until the condition holds; fails after `forMs`. */
  until(holds: () => boolean | Promise<boolean>, forMs: number, what?: string): Promise<void>;
  end(): Promise<void>;
}

async function readStream(bus: Bus, stream: string): Promise<readonly Fields[]> {
  const page = await bus.read(stream, FROM_START, { limit: 100_000 });
  return page.records.map((record) => record.fields);
}

export function createExitScene(accounts: readonly string[] = ['default']): ExitScene {
  const clock = new ManualClock();
  const memory = createMemoryBus({ clock, random: seededRandom('scene') });
  const bus = memory.handle();
  const venue = createSimulatedVenue(clock, accounts);
  const workers: RunningWorker[] = [];
  let panics = 0;

  const worker = (setup: WorkerSetup = {}): RunningWorker => {
    const id = setup.id ?? `w${workers.length + 1}`;
    const account = setup.account ?? 'default';
    const alerts: Alert[] = [];
    const stop = new AbortController();
    const process = new SimulatedProcess(clock);
    const handle = memory.handle();
    const plainBroker = venue.broker(id, {
      account,
      ...(setup.orderTransitMs === undefined ? {} : { orderTransitMs: setup.orderTransitMs }),
    });
    const running = assembleExitWorker(
      {
        clock: process.clock,
        random: seededRandom(id),
        workerId: id,
        account,
        alert: { send: async (alert) => void (process.dead || alerts.push(alert)) },
        ...setup.options,
        bus: process.reach(setup.wrapBus?.(handle) ?? handle),
        broker: process.reach(setup.wrapBroker?.(plainBroker) ?? plainBroker),
      },
      setup.parts ?? intactWorkerParts,
    ).run(stop.signal);
    const made: RunningWorker = {
      id,
      alerts,
      stop: async () => {
        process.thaw();
        stop.abort();
        const end = { reached: false };
        const reach = () => {
          end.reached = true;
        };
        running.then(reach, reach);
        for (let waitedMs = 0; !end.reached && !made.killed() && waitedMs < 60_000; waitedMs += 50) await clock.advance(50);
      },
      kill: () => {
        process.kill();
        stop.abort();
      },
      freeze: () => process.freeze(),
      thaw: () => process.thaw(),
      killed: () => process.dead,
    };
    workers.push(made);
    return made;
  };

  const decoded = async <T>(stream: string, decode: (fields: Fields) => { ok: true; value: T } | { ok: false; problem: string }) => {
    const found: T[] = [];
    for (const fields of await readStream(bus, stream)) {
      const result = decode(fields);
      if (!result.ok) throw new Error(`${stream}: ${result.problem}`);
      found.push(result.value);
    }
    return found;
  };

  return {
    clock,
    memory,
    bus,
    venue,
    worker,
    async arm(armed = accounts, epoch = 1) {
      const latch = bus.latch(TRADING_STATE);
      const { version } = await latch.get();
      const state: TradingState = {
        epoch,
        mode: 'ACTIVE',
        halts: [],
        accounts: armed,
        services: [],
        changedBy: 'test',
        changedWallMs: clock.wallMs(),
      };
      await latch.compareAndSet(version, encodeTradingState(state));
    },
    async panic(panic = {}) {
      panics += 1;
      const full: PanicClose = {
        eventId: `panic-${panics}`,
        reason: 'the brain is dead',
        issuedBy: 'watchdog',
        by: 'watchdog:w',
        wallMs: clock.wallMs(),
        epoch: 1,
        resend: 0,
        ...panic,
      };
      await bus.append(PANIC_CLOSE, encodePanicClose(full));
    },
    async holder(report) {
      const { version } = await bus.latch(TRADING_STATE).get();
      const full: HolderReport = {
        holderId: 'holder-1',
        account: 'default',
        host: 'h',
        bootId: 'b',
        pid: 1,
        epoch: 1,
        brokerTimeoutMs: 2_000,
        leaseTtlMs: 750,
        inflight: 0,
        unknownOutcomes: 0,
        stateVersion: version,
        wallMs: clock.wallMs(),
        ...report,
      };
      await bus.append(LEASE_HOLDER, encodeHolderReport(full), { key: full.holderId });
    },
    completions: () => decoded(PANIC_COMPLETED, decodeCompletion),
    escalations: () => decoded(PANIC_ESCALATED, decodeEscalation),
    audited: async () => (await readStream(bus, AUDIT)).map((fields) => fields['event'] ?? ''),
    state: async () => (await readTradingState(bus)).state,
    async unacknowledged(account = 'default') {
      const observer = memory.handle();
      const pending = await observer.group(PANIC_CLOSE, panicGroup(account)).pending();
      return pending.length;
    },
    async until(holds, forMs, what = 'the condition') {
      const untilMs = clock.monotonicMs() + forMs;
      while (!(await holds())) {
        if (clock.monotonicMs() >= untilMs) throw new Error(`${what} did not come to hold within ${forMs} ms`);
        await clock.advance(10);
      }
    },
    async end() {
      for (const running of workers) if (!running.killed()) await running.stop();
    },
  };
}
