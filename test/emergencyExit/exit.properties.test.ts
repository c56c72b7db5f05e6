/** Random books, venues, crashes and late fills against the whole exit worker, judged from the venue's own fills. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';
import { fcSeed } from '../support/seed.js';

const RUNS = Number(process.env['EXIT_RUNS'] ?? 120);

const venueArbitrary = fc.record({
  latencyMs: fc.constantFrom(0, 20, 120),
  readLatencyMs: fc.constantFrom(0, 15, 80),
  executionDelayMs: fc.constantFrom(0, 0, 90, 700),
  slices: fc.constantFrom(1, 1, 3),
  sliceIntervalMs: fc.constantFrom(0, 40, 300),
  endAfter: fc.constantFrom(null, null, 1),
  rejectsNext: fc.constantFrom(0, 0, 2),
  expireNext: fc.constantFrom(0, 0, 2),
  dropNext: fc.constantFrom(0, 0, 1, 3),
  loseNext: fc.constantFrom(0, 0, 1, 2),
  readFailuresEvery: fc.constantFrom(0, 0, 5),
  staleReadsMs: fc.constantFrom(0, 0, 150, 900),
  lagIsDeclared: fc.boolean(),
  reduceOnly: fc.constantFrom('enforced', 'ignored', 'rejected'),
  clientOrderIds: fc.constantFrom('forever', 'forever', 'while_open', 'never'),
  orderExpiryMs: fc.constantFrom(null, null, 3_000),
  hedge: fc.boolean(),
  frozen: fc.option(fc.record({ atMs: fc.integer({ min: 0, max: 800 }), forMs: fc.integer({ min: 50, max: 4_000 }) }), { nil: null }),
});

const bookArbitrary = fc.array(
  fc.record({
    quantity: fc.constantFrom(10, -10, 3, -7, 0.4),
    resting: fc.boolean(),
    stop: fc.boolean(),
  }),
  { minLength: 0, maxLength: 5 },
);

const scenarioArbitrary = fc.record({
  venue: venueArbitrary,
  book: bookArbitrary,
  minQuantity: fc.constantFrom(0, 0, 0.5),
  /** Each worker but the last is killed: so long after it was started, or at its nth call of the venue. */
  crashes: fc.array(
    fc.oneof(fc.record({ afterMs: fc.integer({ min: 1, max: 1_500 }) }), fc.record({ atCall: fc.integer({ min: 1, max: 25 }) })),
    { maxLength: 3 },
  ),
  /** Orders of a strategy that are still on their way when the panic comes: (after the panic, in ms). */
  late: fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 300 }), leg: fc.nat(4), part: fc.constantFrom(0.5, 1, -0.5) }), {
    maxLength: 3,
  }),
  drainAtMs: fc.constantFrom(400, 700, 2_500),
  panicAgain: fc.boolean(),
  seed: fc.nat(1_000),
});

type Scenario = typeof scenarioArbitrary extends fc.Arbitrary<infer T> ? T : never;

const isWorker = (source: string): boolean => /^w\d+$/.test(source);

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
    declaredReadLagMs: venue.lagIsDeclared ? null : 0,
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

/** Ends the process at its nth call of the venue, before the call leaves. */
function dyingAt(call: number, kill: () => void): (broker: Broker) => Broker {
  let calls = 0;
  return (broker) =>
    new Proxy(broker, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function' || name === 'close') return value;
        return (...args: unknown[]): unknown => {
          calls += 1;
          if (calls === call) {
            kill();
            return new Promise(() => undefined);
          }
          return Reflect.apply(value, target, args);
        };
      },
    });
}

interface Outcome {
  readonly scene: ExitScene;
  readonly resolvable: boolean;
}

function isResolvable({ venue }: Scenario): boolean {
  const helped = venue.clientOrderIds === 'forever' || venue.orderExpiryMs !== null || (venue.reduceOnly !== 'rejected' && !venue.hedge);
  return helped;
}

/** What no exit can be held to: a venue that says that it caps orders, does not, and cannot be asked for a lost one either. */
function isBeyondHelp({ venue, late }: Scenario): boolean {
  const liesAboutCap = venue.reduceOnly === 'ignored' && !venue.hedge;
  const mayLoseTrack = venue.clientOrderIds !== 'forever';
  return liesAboutCap && (mayLoseTrack || late.length > 0);
}

async function play(scenario: Scenario): Promise<Outcome> {
  const scene = createExitScene();
  const { clock, venue } = scene;
  await scene.arm();
  if (scenario.venue.hedge) venue.set({ positionMode: 'hedge' });
  if (scenario.venue.reduceOnly === 'rejected') venue.set({ reduceOnly: 'rejected' });
  seedBook(scene, scenario);
  await clock.advance(5);
  await scene.holder({ event: 'attested' });
  applyVenue(scene, scenario);
  await clock.advance(1_000);
  const start = (index: number) => {
    const crash = scenario.crashes[index];
    let kill = () => {};
    const worker = scene.worker(crash !== undefined && 'atCall' in crash ? { wrapBroker: dyingAt(crash.atCall + 4, () => kill()) } : {});
    kill = () => worker.kill();
    if (crash !== undefined && 'afterMs' in crash) clock.setTimer(crash.afterMs + (index === 0 ? 600 : 0), kill);
    return worker;
  };
  const workers = scenario.crashes.length === 0 ? [start(0)] : [start(0), start(1)];
  await clock.advance(500);
  await scene.panic();
  scheduleLate(scene, scenario);
  scheduleDrain(scene, scenario);
  const { frozen } = scenario.venue;
  if (frozen !== null) {
    clock.setTimer(frozen.atMs, () => venue.set({ frozen: true }));
    clock.setTimer(frozen.atMs + frozen.forMs, () => venue.set({ frozen: false }));
  }
  // A venue that fills a third of each order for ever would keep any exit busy for ever.
  clock.setTimer(6_000, () => venue.set({ partialFills: { slices: 1 } }));
  if (scenario.panicAgain) clock.setTimer(1_500, () => void scene.panic({ eventId: 'panic-1', resend: 1 }));
  const done = async () => (await scene.completions()).some(({ verdict }) => verdict !== 'flat_unconfirmed');
  for (let waitedMs = 0; waitedMs < 40_000 && !(await done()); waitedMs += 250) {
    await clock.advance(250);
    if (workers.every((worker) => worker.killed()) && workers.length < 4) workers.push(start(workers.length));
  }
  if (workers.every((worker) => worker.killed())) {
    workers.push(scene.worker());
    for (let waitedMs = 0; waitedMs < 30_000 && !(await done()); waitedMs += 250) await clock.advance(250);
  }
  await clock.advance(3_000);
  return { scene, resolvable: isResolvable(scenario) };
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

function judgeFills(scene: ExitScene): void {
  for (const event of scene.venue.events()) {
    if (event.kind !== 'fill' || !isWorker(event.source)) continue;
    const shrinks = Math.abs(event.positionAfter) < Math.abs(event.positionBefore);
    const keepsSign = event.positionAfter === 0 || Math.sign(event.positionAfter) === Math.sign(event.positionBefore);
    expect(shrinks && keepsSign, `S4: ${event.clientOrderId}: ${event.positionBefore} → ${event.positionAfter}`).toBe(true);
  }
}

async function judgeVerdicts({ scene, resolvable }: Outcome, scenario: Scenario): Promise<void> {
  const completions = await scene.completions();
  const final = completions.filter(({ verdict }) => verdict !== 'flat_unconfirmed');
  const positions = [...scene.venue.positions().values()];
  for (const { verdict } of final) {
    if (verdict === 'flat') expect(positions, 'S5: flat, but positions are open').toEqual([]);
    expect(scene.venue.openOrders(), `S5: ${verdict}, but orders are open`).toBe(0);
  }
  const tokens = completions.map(({ fencingToken }) => fencingToken);
  expect(tokens, 'S9: fencing tokens rise').toEqual([...tokens].sort((a, b) => a - b));
  const unacknowledged = await scene.unacknowledged();
  if (final.length > 0) {
    expect(unacknowledged, 'S6: completed, and still pending').toBe(0);
    return;
  }
  expect(unacknowledged, 'S6: neither completed nor held').toBeGreaterThan(0);
  const escalations = await scene.escalations();
  expect(escalations.length + completions.length, 'S6: neither completed nor escalated').toBeGreaterThan(0);
  expect(resolvable, `S6: not completed: ${JSON.stringify({ escalations, positions, scenario })}`).toBe(false);
}

describe('emergency exit under random books, venues and crashes', () => {
  it(
    'S4, S5, S6, S9: never worse, never falsely flat, never lost, one owner at a time',
    async () => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(scenarioArbitrary, async (scenario) => {
          fc.pre(!isBeyondHelp(scenario));
          runs += 1;
          const outcome = await play(scenario);
          judgeFills(outcome.scene);
          await judgeVerdicts(outcome, scenario);
          await outcome.scene.end();
        }),
        { seed: fcSeed, numRuns: RUNS },
      );
      expect(runs).toBeGreaterThan(0);
    },
    Math.max(60_000, RUNS * 1_000),
  );
});
