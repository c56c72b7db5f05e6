/** Plays a scenario with whole exit workers on one bus, at one venue, on a clock of its own. */
import type { Broker } from '../../src/broker/broker.js';
import type { Bus } from '../../src/bus/bus.js';
import { intactWorkerParts, type WorkerParts } from '../../src/emergencyExit/workerContext.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { createExitScene, type ExitScene, type RunningWorker } from '../support/exitScene.js';
import { type ClaimRecorder, recordClaims } from './exitJudges.js';
import { type Fate, isResolvable, LONGEST_FREEZE_MS, type Scenario } from './exitScenario.js';

export interface Outcome {
  readonly scene: ExitScene;
  readonly claims: ClaimRecorder;
}

function applyVenue(scene: ExitScene, { venue, minQuantity }: Scenario): void {
  const workers = ['w1', 'w2', 'w3', 'w4'];
  scene.venue.set({
    positionMode: venue.hedge ? 'hedge' : 'one_way',
    latencyMs: venue.latencyMs,
    readLatencyMs: venue.readLatencyMs,
    executionDelayMs: venue.executionDelayMs,
    partialFills: { slices: venue.slices, intervalMs: venue.sliceIntervalMs, endAfter: venue.endAfter },
    rejects: { next: venue.rejectsNext, sources: workers },
    expireMarketOrders: { next: venue.expireNext, sources: workers },
    dropAnswers: { next: venue.dropNext, sources: workers },
    loseOrders: { next: venue.loseNext, sources: workers },
    readFailures: { everyNth: venue.readFailuresEvery, sources: workers, of: ['positions', 'orders', 'order'] },
    staleReadsMs: venue.staleReadsMs,
    declaredReadLagMs: venue.lagIsDeclared ? venue.staleReadsMs : 0,
    reduceOnly: venue.reduceOnly,
    clientOrderIds: venue.clientOrderIds,
    orderExpiryMs: venue.orderExpiryMs,
    defaultMinQuantity: minQuantity,
  });
}

function seedBook(scene: ExitScene, { book, venue }: Scenario): void {
  const positions = book.map(({ quantity }, index) => ({
    symbol: `S${index}`,
    quantity,
    positionSide: venue.hedge ? (quantity > 0 ? ('long' as const) : ('short' as const)) : ('net' as const),
  }));
  scene.venue.seed(positions);
  const strategy = scene.venue.broker('strategy', { timeoutMs: 20_000 });
  for (const [index, { quantity, resting, stop }] of book.entries()) {
    const positionSide = positions[index]?.positionSide ?? 'net';
    const common = { symbol: `S${index}`, positionSide, reduceOnly: false } as const;
    const side = quantity > 0 ? 'sell' : 'buy';
    const size = Math.max(1, Math.abs(quantity));
    if (resting) {
      const opening = quantity > 0 ? 'buy' : 'sell';
      strategy
        .submit({
          ...common,
          clientOrderId: `r${index}`,
          side: opening,
          type: 'limit',
          quantity: size,
          limitPrice: quantity > 0 ? 50 : 150,
        })
        .catch(() => undefined);
    }
    const flagged = !venue.hedge && venue.reduceOnly !== 'rejected';
    if (stop) {
      strategy
        .submit({
          ...common,
          clientOrderId: `s${index}`,
          side,
          type: 'stop',
          quantity: size,
          stopPrice: quantity > 0 ? 80 : 120,
          reduceOnly: flagged,
        })
        .catch(() => undefined);
    }
  }
}

type Look = (name: string, args: readonly unknown[]) => void;

interface Looks {
  readonly before?: Look;
  readonly after?: Look;
  /** What its caller does not live to send never leaves. */
  readonly gone: () => boolean;
}

function lookedAt<T extends object>(target: T, { before, after, gone }: Looks): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== 'function') return value;
      const name = String(property);
      return (...args: unknown[]): unknown => {
        before?.(name, args);
        if (gone()) return new Promise(() => undefined);
        const result: unknown = Reflect.apply(value, object, args);
        after?.(name, args);
        return result;
      };
    },
  });
}

function atNth(nth: number, isMeant: (name: string, args: readonly unknown[]) => boolean, act: () => void): Look {
  let seen = 0;
  return (name, args) => {
    if (isMeant(name, args) && ++seen === nth) act();
  };
}

const isCall = (name: string): boolean => name !== 'close';

const isClose = (name: string, [order]: readonly unknown[]): boolean =>
  name === 'submit' && typeof order === 'object' && order !== null && 'type' in order && order.type === 'market';

const isNote = (name: string, [stream]: readonly unknown[]): boolean => name === 'append' && stream === CLOSE_ATTEMPTS;

/** Calls of the venue that a worker makes before any panic. */
const CALLS_BEFORE = 4;

interface Handle {
  worker?: RunningWorker;
}

function freezeFor(scene: ExitScene, handle: Handle, forMs: number): void {
  handle.worker?.freeze();
  scene.clock.setTimer(forMs, () => handle.worker?.thaw());
}

function brokerLooks(scene: ExitScene, fate: Fate | undefined, handle: Handle): Omit<Looks, 'gone'> {
  const kill = () => handle.worker?.kill();
  if (fate?.kind === 'killed at call') return { before: atNth(fate.nth + CALLS_BEFORE, isCall, kill) };
  if (fate?.kind === 'killed at close') return { after: atNth(fate.nth, isClose, kill) };
  if (fate?.kind === 'frozen at close') return { after: atNth(fate.nth, isClose, () => freezeFor(scene, handle, fate.forMs)) };
  return {};
}

function busLooks(scene: ExitScene, fate: Fate | undefined, handle: Handle): Omit<Looks, 'gone'> {
  if (fate?.kind !== 'frozen at note') return {};
  return { after: atNth(fate.nth, isNote, () => freezeFor(scene, handle, fate.forMs)) };
}

/** Lets positions lag behind orders: each is read as the venue may show it at that moment. */
function lagging(scene: ExitScene, { venue }: Scenario): Look {
  return (name) => {
    if (name === 'positions') scene.venue.set({ staleReadsMs: venue.staleReadsMs });
    else if (name === 'openOrders' || name === 'orderByClientId') scene.venue.set({ staleReadsMs: 0 });
  };
}

/** Starts workers one after the other, each with its own fate. */
function crew(scene: ExitScene, scenario: Scenario, parts: WorkerParts) {
  const workers: RunningWorker[] = [];
  const { transit, onlyPositionsLag } = scenario.venue;
  let slow = transit.orders;
  const start = (fate: Fate | undefined = scenario.fates[workers.length]) => {
    const handle: Handle = {};
    const gone = () => handle.worker?.killed() === true;
    const worker = scene.worker({
      parts,
      orderTransitMs: () => (slow-- > 0 ? transit.forMs : 0),
      wrapBus: (bus: Bus) => lookedAt(bus, { ...busLooks(scene, fate, handle), gone }),
      wrapBroker: (broker: Broker) => {
        const looks = { ...brokerLooks(scene, fate, handle), gone };
        const looked = lookedAt(broker, looks);
        return onlyPositionsLag ? lookedAt(looked, { before: lagging(scene, scenario), gone }) : looked;
      },
    });
    handle.worker = worker;
    if (fate?.kind === 'killed after') scene.clock.setTimer(fate.ms + (workers.length === 0 ? 600 : 0), () => worker.kill());
    workers.push(worker);
  };
  return { start, size: () => workers.length, gone: () => workers.every((worker) => worker.killed()) };
}

function disturbVenue({ clock, venue }: ExitScene, { frozen }: Scenario['venue']): void {
  if (frozen !== null) {
    clock.setTimer(frozen.atMs, () => venue.set({ frozen: true }));
    clock.setTimer(frozen.atMs + frozen.forMs, () => venue.set({ frozen: false }));
  }
  // A venue that fills a third of each order for ever would keep any exit busy for ever.
  clock.setTimer(6_000, () => venue.set({ partialFills: { slices: 1 } }));
}

export async function play(scenario: Scenario, parts: WorkerParts = intactWorkerParts): Promise<Outcome> {
  const scene = createExitScene();
  const { clock, venue } = scene;
  await scene.arm();
  if (scenario.venue.hedge) venue.set({ positionMode: 'hedge' });
  if (scenario.venue.reduceOnly === 'rejected') venue.set({ reduceOnly: 'rejected' });
  seedBook(scene, scenario);
  await clock.advance(5);
  await scene.holder({ event: 'attested' });
  applyVenue(scene, scenario);
  const claims = recordClaims(scene);
  await clock.advance(1_000);
  const workers = crew(scene, scenario, parts);
  workers.start();
  if (scenario.fates.length > 0) workers.start();
  await clock.advance(500);
  await scene.panic();
  scheduleLate(scene, scenario);
  scheduleDrain(scene, scenario);
  disturbVenue(scene, scenario.venue);
  if (scenario.panicAgain) clock.setTimer(1_500, () => void scene.panic({ eventId: 'panic-1', resend: 1 }));
  const done = async () => (await scene.completions()).some(({ verdict }) => verdict !== 'flat_unconfirmed');
  const patienceMs = isResolvable(scenario) ? 70_000 : 20_000;
  for (let waitedMs = 0; waitedMs < patienceMs && !(await done()); waitedMs += 250) {
    await clock.advance(250);
    if (workers.gone() && workers.size() < 4) workers.start();
  }
  if (workers.gone()) {
    workers.start();
    for (let waitedMs = 0; waitedMs < 30_000 && !(await done()); waitedMs += 250) await clock.advance(250);
  }
  // Whoever is frozen wakes up and ends what it had begun.
  const mayBeFrozen = scenario.fates.some(({ kind }) => kind === 'frozen at note' || kind === 'frozen at close');
  await clock.advance(mayBeFrozen ? LONGEST_FREEZE_MS + 1_000 : 3_000);
  claims.stop();
  return { scene, claims };
}

function scheduleLate(scene: ExitScene, { late, book, venue }: Scenario): void {
  const strategy = scene.venue.broker('strategy', { timeoutMs: 20_000 });
  for (const [index, order] of late.entries()) {
    const position = book[order.leg];
    if (position === undefined) continue;
    const quantity = Math.abs(position.quantity * order.part);
    const grows = order.part > 0;
    const side = position.quantity > 0 === grows ? 'buy' : 'sell';
    const positionSide = venue.hedge ? (position.quantity > 0 ? 'long' : 'short') : 'net';
    scene.clock.setTimer(order.atMs, () => {
      const request = {
        clientOrderId: `late${index}`,
        symbol: `S${order.leg}`,
        positionSide,
        side,
        type: 'market',
        quantity,
        reduceOnly: false,
      } as const;
      strategy.submit(request).catch(() => undefined);
    });
  }
}

/** The holder says that it is drained only when its orders have ended, as a gate would. */
function scheduleDrain(scene: ExitScene, { drainAtMs }: Scenario): void {
  const look = () => {
    const open = new Set<string>();
    for (const event of scene.venue.events()) {
      if (event.kind === 'request' && event.what === 'submit' && event.source === 'strategy') open.add(event.clientOrderId ?? '');
      if ((event.kind === 'accepted' || event.kind === 'rejected') && event.source === 'strategy') open.delete(event.clientOrderId ?? '');
    }
    if (open.size > 0) scene.clock.setTimer(50, look);
    else void scene.holder({ event: 'drained' });
  };
  scene.clock.setTimer(drainAtMs, look);
}
