/** Random books, venues, crashes, freezes and late fills for a whole exit worker. */
import fc from 'fast-check';

const venueArbitrary = fc.record({
  latencyMs: fc.constantFrom(0, 20, 120),
  readLatencyMs: fc.constantFrom(0, 15, 80),
  executionDelayMs: fc.constantFrom(0, 0, 90, 700),
  slices: fc.constantFrom(1, 1, 3),
  sliceIntervalMs: fc.constantFrom<number>(0, 40, 300),
  endAfter: fc.constantFrom(null, null, 1),
  rejectsNext: fc.constantFrom(0, 0, 1, 2),
  expireNext: fc.constantFrom(0, 0, 2),
  dropNext: fc.constantFrom(0, 0, 1, 3),
  loseNext: fc.constantFrom(0, 0, 1, 2),
  /** The first orders of workers are so long on their way. */
  transit: fc.record({ orders: fc.constantFrom(0, 0, 1, 2), forMs: fc.constantFrom(150, 3_000, 5_000) }),
  readFailuresEvery: fc.constantFrom(0, 0, 5),
  staleReadsMs: fc.constantFrom<number>(0, 0, 150, 900),
  lagIsDeclared: fc.boolean(),
  /** Orders are read as they are, positions lag behind them. */
  onlyPositionsLag: fc.boolean(),
  reduceOnly: fc.constantFrom('enforced', 'ignored', 'rejected'),
  clientOrderIds: fc.constantFrom('forever', 'forever', 'while_open', 'never'),
  orderExpiryMs: fc.constantFrom(null, null, 3_000),
  hedge: fc.boolean(),
  frozen: fc.option(fc.record({ atMs: fc.integer({ min: 0, max: 800 }), forMs: fc.integer({ min: 50, max: 4_000 }) }), { nil: null }),
});

const legArbitrary = fc.record({
  quantity: fc.constantFrom(10, -10, 3, -7, 0.4),
  resting: fc.boolean(),
  stop: fc.boolean(),
});

export const LONGEST_FREEZE_MS = 5_000;

const nthClose = fc.integer({ min: 1, max: 4 });

/** What happens to a worker. It is killed: so long after it was started, at its nth call of the venue, or when its nth close has left. */
const killArbitrary = fc.oneof(
  fc.record({ kind: fc.constant('killed after' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
  fc.record({ kind: fc.constant('killed at call' as const), nth: fc.integer({ min: 1, max: 25 }) }),
  fc.record({ kind: fc.constant('killed at close' as const), nth: nthClose }),
);

/** Or it is stopped for longer than its claim lasts: with its nth close written down and not sent yet, or when it has left. */
const freezeArbitrary = fc.record({
  kind: fc.constantFrom('frozen at note', 'frozen at close'),
  nth: nthClose,
  forMs: fc.integer({ min: 2_100, max: LONGEST_FREEZE_MS }),
});

const generalArbitrary = fc.record({
  venue: venueArbitrary,
  book: fc.array(legArbitrary, { maxLength: 5 }),
  minQuantity: fc.constantFrom(0, 0, 0.5),
  /** Of each worker but the last. */
  fates: fc.array(fc.oneof({ weight: 3, arbitrary: killArbitrary }, { weight: 1, arbitrary: freezeArbitrary }), { maxLength: 3 }),
  /** Orders of a strategy that are still on their way when the panic comes: (after the panic, in ms). */
  late: fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 300 }), leg: fc.nat(4), part: fc.constantFrom(0.5, 1, -0.5) }), {
    maxLength: 3,
  }),
  drainAtMs: fc.constantFrom<number>(400, 700, 2_500),
  panicAgain: fc.boolean(),
});

export type Scenario = typeof generalArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** Where nothing but the exit's own care keeps a close from being sent twice: no cap, and no ids that last. */
const helplessVenue = {
  reduceOnly: fc.constant('rejected' as const),
  clientOrderIds: fc.constantFrom('while_open' as const, 'never' as const),
  hedge: fc.constant(false),
};

/** A strategy's order is cancelled when it has filled in part, and positions show that later than the open orders do. */
const lateBooksArbitrary = fc
  .tuple(
    generalArbitrary,
    fc.record({
      ...helplessVenue,
      latencyMs: fc.constant(120),
      readLatencyMs: fc.constantFrom(0, 15),
      executionDelayMs: fc.constant(90),
      slices: fc.constant(3),
      sliceIntervalMs: fc.constantFrom(100, 300),
      endAfter: fc.constant(null),
      dropNext: fc.constant<0>(0),
      readFailuresEvery: fc.constant<0>(0),
      onlyPositionsLag: fc.constant(true),
      staleReadsMs: fc.constantFrom(900, 2_500),
      lagIsDeclared: fc.constant(true),
      frozen: fc.constant(null),
    }),
    fc.constantFrom(10, -7, 3),
    fc.integer({ min: 0, max: 150 }),
  )
  .map(
    ([scenario, venue, quantity, atMs]): Scenario => ({
      ...scenario,
      venue: { ...scenario.venue, ...venue },
      book: [{ quantity, resting: false, stop: false }],
      fates: [],
      late: [{ atMs, leg: 0, part: -0.5 }],
      drainAtMs: 0,
    }),
  );

/** A worker dies or sleeps right after a close that reaches the venue only when its successor is at work. */
const lateCloseArbitrary = fc
  .tuple(
    generalArbitrary,
    fc.record({ ...helplessVenue, transit: fc.record({ orders: fc.constantFrom(1, 2), forMs: fc.constant(3_000) }) }),
    fc.oneof(
      fc.record({ kind: fc.constant('killed at close' as const), nth: fc.constantFrom(1, 2) }),
      fc.record({ kind: fc.constant('frozen at close' as const), nth: fc.constantFrom(1, 2), forMs: fc.constant(LONGEST_FREEZE_MS) }),
    ),
  )
  .map(([scenario, venue, fate]): Scenario => ({ ...scenario, venue: { ...scenario.venue, ...venue }, fates: [fate] }));

/** A dead worker's close is long on its way; its successor sends it again under its id, and that is refused. */
const refusedResendArbitrary = fc
  .tuple(
    generalArbitrary,
    fc.record({
      reduceOnly: fc.constant('rejected' as const),
      clientOrderIds: fc.constant('forever' as const),
      hedge: fc.constant(false),
      rejectsNext: fc.constantFrom(1, 2),
      expireNext: fc.constant<0>(0),
      readFailuresEvery: fc.constant<0>(0),
      staleReadsMs: fc.constant(0),
      dropNext: fc.constant<0>(0),
      loseNext: fc.constant<0>(0),
      transit: fc.record({ orders: fc.constant(1), forMs: fc.constant(5_000) }),
      frozen: fc.constant(null),
    }),
  )
  .map(
    ([scenario, venue]): Scenario => ({
      ...scenario,
      venue: { ...scenario.venue, ...venue },
      fates: [{ kind: 'killed at close', nth: 1 }],
      late: [],
    }),
  );

export const scenarioArbitrary = fc.oneof(
  { weight: 6, arbitrary: generalArbitrary },
  { weight: 1, arbitrary: lateBooksArbitrary },
  { weight: 1, arbitrary: lateCloseArbitrary },
  { weight: 1, arbitrary: refusedResendArbitrary },
);

export type Fate = Scenario['fates'][number];

/** Whether the fate of every close can be found, by asking, by waiting, or by sending it again. */
export function isResolvable({ venue, late }: Scenario): boolean {
  if (venue.orderExpiryMs !== null) return true;
  const caps = venue.reduceOnly !== 'rejected' && !venue.hedge;
  // A lost close of a position that a strategy has closed meanwhile may not be sent again, and may still arrive.
  if (!caps && venue.loseNext > 0 && late.some(({ part }) => part < 0)) return false;
  return caps || venue.clientOrderIds === 'forever';
}

/**
 * What no exit can be held to: a venue that says that it caps orders, does not, and cannot be asked for a lost one either; and
 * one that caps nothing and hides, for longer than it says, a strategy's reducing order that it has taken.
 */
export function isBeyondHelp({ venue, late }: Scenario): boolean {
  if (venue.hedge) return false;
  if (venue.reduceOnly === 'ignored') return venue.clientOrderIds !== 'forever' || late.length > 0;
  const hides = venue.staleReadsMs > 0 && !venue.lagIsDeclared;
  return venue.reduceOnly === 'rejected' && hides && late.some(({ part }) => part < 0);
}
