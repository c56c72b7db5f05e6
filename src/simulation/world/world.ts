/** A whole system on simulated time: bus, venue, and the shipped roles in processes that die, stop and start again. */
import { encodeTradingState, TRADING_STATE } from '../../messages/tradingState.js';
import { seededRandom } from '../../random.js';
import type { Bar } from '../../venue/bars.js';
import { SimulatedRedis } from '../bus/simulatedRedis.js';
import type { DrainKind } from '../kernel/drain.js';
import { Kernel } from '../kernel/kernel.js';
import type { SimulatedProcess } from '../kernel/simulatedProcess.js';
import { trueClock } from '../kernel/trueClock.js';
import { SimulatedVenue } from '../venue/simulatedVenue.js';
import { ACCOUNT, bear, type Ground, SERVICE, STRATEGY, WALL_START_MS } from './ground.js';
import { type Observers, observersOf } from './observers.js';
import { intactWorld, type MakeParts, type WorldParts } from './parts.js';
import { type RoleGround, roleGround, runBrain, runWatchdog, runWorker } from './roles.js';
import type { WorldSetup } from './setup.js';
import { SimulatedStrategy } from './strategy.js';

export interface WorldOptions {
  readonly seed: number | string;
  readonly setup: WorldSetup;
  /** Default: as shipped. */
  readonly parts?: MakeParts;
  readonly drain?: DrainKind;
  /** What runs as the strategy's process. Default: one that sends guarded orders all the time. */
  readonly strategy?: StartRole;
  /** At least one; the next comes every {@link BAR_EVERY_MS}. Default: one that never moves. */
  readonly bars?: readonly Bar[];
}

export type StartRole = (role: RoleGround, life: number) => void;

export const BAR_EVERY_MS = 1_000;

interface Actor {
  readonly name: string;
  readonly start: StartRole;
  process: SimulatedProcess | undefined;
  life: number;
  hangs: boolean;
  /** It starts again as soon as it has ended. */
  wanted: boolean;
}

export class World implements Ground {
  readonly kernel: Kernel;
  readonly redis: SimulatedRedis;
  readonly venue: SimulatedVenue;
  readonly setup: WorldSetup;
  readonly parts: WorldParts;
  readonly capsOrderRate: boolean;
  readonly sent: Ground['sent'] = [];
  readonly told: Ground['told'] = [];
  readonly ends: Ground['ends'] = [];
  readonly observers: Observers;
  readonly refusedCancels: Ground['refusedCancels'] = [];
  readonly trips: Ground['trips'] = [];
  readonly alerts: Ground['alerts'] = [];
  readonly disks: Ground['disks'] = new Map();
  readonly #actors = new Map<string, Actor>();
  #strategy: SimulatedStrategy | undefined;

  constructor({ seed, setup, parts = () => intactWorld, drain, strategy, bars }: WorldOptions) {
    this.setup = setup;
    this.observers = observersOf(setup.hostileObservers);
    this.capsOrderRate = strategy === undefined;
    this.kernel = new Kernel(seededRandom(seed), drain);
    this.parts = parts(trueClock(this.kernel, 'parts', WALL_START_MS));
    this.redis = new SimulatedRedis(this.kernel, { replicated: setup.replicatedBus, wallStartMs: WALL_START_MS });
    this.venue = new SimulatedVenue(this.kernel, {
      accounts: [ACCOUNT],
      wallStartMs: WALL_START_MS,
      ...(bars === undefined ? {} : { bars }),
    });
    if (bars !== undefined) this.#replay(bars.length);
    this.venue.set({ reduceOnly: setup.reduceOnly, orderExpiryMs: setup.orderExpiryMs === 0 ? null : setup.orderExpiryMs });
    this.venue.seed(
      ACCOUNT,
      Object.entries(setup.positions).map(([symbol, quantity]) => ({ symbol, quantity })),
    );
    this.#armed();
    this.#add('brain', runBrain);
    for (let index = 1; index <= setup.watchdogs; index += 1) this.#add(`watchdog-${index}`, runWatchdog);
    for (let index = 1; index <= setup.workers; index += 1) this.#add(`worker-${index}`, runWorker);
    this.#add(STRATEGY, strategy ?? ((role, life) => this.#runStrategy(role, life)));
  }

  get names(): readonly string[] {
    return [...this.#actors.keys()];
  }

  process(name: string): SimulatedProcess | undefined {
    return this.#actors.get(name)?.process;
  }

  start(name: string): void {
    const actor = this.#actors.get(name);
    if (actor === undefined || actor.process?.dead === false) return;
    actor.life += 1;
    actor.hangs = false;
    actor.wanted = false;
    const process = bear(this, name, actor.life);
    actor.process = process;
    actor.start(
      roleGround(this, process, actor.life, () => actor.hangs),
      actor.life,
    );
  }

  startAll(): void {
    for (const name of this.names) this.start(name);
  }

  kill(name: string): void {
    this.process(name)?.kill();
  }

  /** As SIGTERM: it ends in its own time. A strategy that knows no end, as one under test, is killed. */
  terminate(name: string): void {
    const strategy = name === STRATEGY ? this.#strategy : undefined;
    if (strategy === undefined) return this.kill(name);
    this.process(name)?.deliver(() => {
      void strategy.end().then(() => {
        if (this.#actors.get(name)?.wanted === true) this.start(name);
      });
    });
  }

  /** Now, or when it has ended. */
  startWhenEnded(name: string): void {
    const actor = this.#actors.get(name);
    if (actor === undefined) return;
    actor.wanted = true;
    this.start(name);
  }

  /** The decision loop of the brain hangs from its next evaluation on, until it is started again. */
  hang(name: string): void {
    const actor = this.#actors.get(name);
    if (actor !== undefined) actor.hangs = true;
  }

  /** The strategy runs away, if it runs: so many orders at once. */
  runAway(count: number): void {
    this.process(STRATEGY)?.deliver(() => this.#strategy?.burst(count));
  }

  #runStrategy(role: RoleGround, life: number): void {
    const strategy = new SimulatedStrategy(role, life);
    this.#strategy = strategy;
    void strategy.run();
  }

  #replay(count: number): void {
    for (let index = 1; index < count; index += 1) this.kernel.at(index * BAR_EVERY_MS, 'bar', () => this.venue.step());
  }

  #add(name: string, start: Actor['start']): void {
    this.#actors.set(name, { name, start, process: undefined, life: 0, hangs: false, wanted: false });
  }

  /** As a person has armed it before anything begins. */
  #armed(): void {
    const fields = encodeTradingState({
      epoch: 1,
      mode: 'ACTIVE',
      halts: [],
      accounts: [ACCOUNT],
      services: [SERVICE],
      changedBy: 'operator',
      changedWallMs: WALL_START_MS,
    });
    this.redis.server.commit({ do: 'set', key: TRADING_STATE, version: 1, fields: Object.freeze({ ...fields }) });
  }
}
