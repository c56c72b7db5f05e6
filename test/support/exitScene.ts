/**
 * A small world for emergency exits: one bus, one venue, and workers that can be killed. In memory, with a clock that moves when
 * told; or on a real Redis, in real time, with every timing of the product divided by {@link REAL_TIME_SCALE}.
 */
import type { Alert } from '../../src/alert/alert.js';
import type { Broker } from '../../src/broker/broker.js';
import { type Bus, type Fields, FROM_START } from '../../src/bus/bus.js';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory.js';
import { type Clock, systemClock } from '../../src/clock.js';
import { intactWorkerParts, type WorkerParts } from '../../src/emergencyExit/workerContext.js';
import type { ExitWorkerOptions } from '../../src/emergencyExit/workerOptions.js';
import { assembleExitWorker } from '../../src/emergencyExit/workerRun.js';
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
import { RedisServer } from '../../src/rig/redis/server.js';
import { scaledTimings } from '../../src/roles/scale.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { readTradingState } from '../../src/tradingState/read.js';
import { placeOf } from './everyBus.js';
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

/** What a scene shows and lets a test do, wherever its bus is kept. */
interface SceneView {
  readonly bus: Bus;
  readonly venue: SimulatedVenue;
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

export interface ExitScene extends SceneView {
  readonly clock: ManualClock;
  readonly memory: MemoryBus;
  worker(setup?: WorkerSetup): RunningWorker;
}

/** A scene whose tests do not care where its bus is kept and whose time passes. */
export interface PlacedScene extends SceneView {
  readonly clock: Clock;
  worker(setup?: WorkerSetup): Promise<RunningWorker>;
  /** A duration of the product as it is in this scene. */
  ms(productMs: number): number;
  /** Lets a duration of the product pass. */
  pass(productMs: number): Promise<void>;
}

export interface RedisScene extends PlacedScene {
  readonly server: RedisServer;
  /** A handle of its own, as another process has it. */
  open(): Promise<Bus>;
}

/** Slow enough that a busy machine of two cores does not take a live worker for a dead one. */
const REAL_TIME_SCALE = 4;

interface SceneGround {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly accounts: readonly string[];
  readonly scale: number;
  /** Lets so much of the scene's own time pass. */
  readonly pass: (ms: number) => Promise<void>;
}

async function readStream(bus: Bus, stream: string): Promise<readonly Fields[]> {
  const page = await bus.read(stream, FROM_START, { limit: 100_000 });
  return page.records.map((record) => record.fields);
}

interface BuiltScene extends SceneView {
  readonly worker: (handle: Bus, setup: WorkerSetup) => RunningWorker;
}

function buildScene({ clock, bus, accounts, scale, pass }: SceneGround): BuiltScene {
  const venue = createSimulatedVenue(clock, accounts);
  const workers: RunningWorker[] = [];
  let panics = 0;

  const worker = (handle: Bus, setup: WorkerSetup): RunningWorker => {
    const id = setup.id ?? `w${workers.length + 1}`;
    const account = setup.account ?? 'default';
    const alerts: Alert[] = [];
    const stop = new AbortController();
    const process = new SimulatedProcess(clock);
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
        ...(scale === 1 ? {} : { timings: scaledTimings(scale).exitWorker }),
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
        for (let waitedMs = 0; !end.reached && !made.killed() && waitedMs < 60_000; waitedMs += 50) await pass(50);
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
        brokerTimeoutMs: 2_000 / scale,
        leaseTtlMs: Math.round(750 / scale),
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
      const pending = await bus.group(PANIC_CLOSE, panicGroup(account)).pending();
      return pending.length;
    },
    async until(holds, forMs, what = 'the condition') {
      const untilMs = clock.monotonicMs() + forMs;
      while (!(await holds())) {
        if (clock.monotonicMs() >= untilMs) throw new Error(`${what} did not come to hold within ${forMs} ms`);
        await pass(10);
      }
    },
    async end() {
      for (const running of workers) if (!running.killed()) await running.stop();
    },
  };
}

export function createExitScene(accounts: readonly string[] = ['default']): ExitScene {
  const clock = new ManualClock();
  const memory = createMemoryBus({ clock, random: seededRandom('scene') });
  const { worker, ...view } = buildScene({ clock, bus: memory.handle(), accounts, scale: 1, pass: (ms) => clock.advance(ms) });
  return { ...view, clock, memory, worker: (setup = {}) => worker(memory.handle(), setup) };
}

async function memoryScene(accounts?: readonly string[]): Promise<PlacedScene> {
  const scene = createExitScene(accounts);
  return { ...scene, worker: async (setup) => scene.worker(setup), ms: (ms) => ms, pass: (ms) => scene.clock.advance(ms) };
}

export async function createRedisScene(accounts: readonly string[] = ['default']): Promise<RedisScene> {
  const server = await RedisServer.start();
  const place = placeOf(server.url, () => server.dispose());
  const clock = systemClock;
  const ms = (productMs: number) => Math.round(productMs / REAL_TIME_SCALE);
  const pass = (sceneMs: number) => clock.sleep(sceneMs);
  const { worker, end, ...view } = buildScene({ clock, bus: await place.open(), accounts, scale: REAL_TIME_SCALE, pass });
  return {
    ...view,
    clock,
    server,
    open: () => place.open(),
    worker: async (setup = {}) => worker(await place.open(), setup),
    ms,
    pass: (productMs) => pass(ms(productMs)),
    async end() {
      await end();
      await place.remove();
    },
  };
}

export const EVERY_SCENE: readonly (readonly [name: string, create: (accounts?: readonly string[]) => Promise<PlacedScene>])[] = [
  ['a bus in memory', memoryScene],
  ['Redis', createRedisScene],
];
