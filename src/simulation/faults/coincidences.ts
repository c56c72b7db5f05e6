/**
 * Coincidences that chance alone meets too seldom: a few faults that fall together where they hurt, with respect to something that is
 * seen to happen. Each is what an operator has met or fears.
 */
import type { Random } from '../../random.js';
import { numbered, type WorldSetup } from '../world/setup.js';
import { timingsOf } from '../world/timings.js';
import type { Fault } from './schedule.js';

type Draw = (random: Random, setup: WorldSetup) => readonly Fault[];

const between = (random: Random, fromMs: number, toMs: number): number => fromMs + random.below(toMs - fromMs);
const oneOf = (random: Random, names: readonly string[]): string => names[random.below(names.length)] ?? '';
const aWorker = (random: Random, { workers }: WorldSetup): string => oneOf(random, numbered('worker', workers));
const everyWorker = ({ workers }: WorldSetup): readonly string[] => numbered('worker', workers);
const everyWatchdog = ({ watchdogs }: WorldSetup): readonly string[] => numbered('watchdog', watchdogs);

export const COINCIDENCES = {
  /** The venue cannot be read from the moment of the panic until long behind the horizon. */
  'blind exit': (random: Random, setup: WorldSetup): readonly Fault[] => [
    { kind: 'venue-unreadable', on: 'panic', atMs: 0, forMs: between(random, 3_000, 16_000 + timingsOf(setup).lease.ttlMs) },
  ],
  /** Closes are taken and end with nothing, or with half of it, filled. */
  'closes end unfilled': (random: Random): readonly Fault[] => [
    random.below(2) === 0
      ? { kind: 'venue-expire', on: 'panic', atMs: 0, forMs: 3_000, amount: 1 + random.below(4) }
      : { kind: 'venue-partial', on: 'panic', atMs: 0, forMs: 3_000 },
  ],
  /** Closes fill late, and nobody is told that they were taken. */
  'silent late closes': (random: Random): readonly Fault[] => [
    { kind: 'venue-late-fill', on: 'panic', atMs: 0, forMs: 4_000, amount: between(random, 500, 5_000) },
    { kind: 'venue-silent', on: 'panic', atMs: 0, forMs: 4_000, amount: 1 + random.below(4) },
  ],
  /** The venue stops when the first close arrives, and goes on when the worker has given up on it. */
  'venue freezes on a close': (random: Random): readonly Fault[] => [
    { kind: 'venue-freeze', on: 'close', atMs: 0, forMs: between(random, 1_000, 9_000) },
  ],
  /** The bus takes nothing just when the brain must be accused. */
  'bus fails at the accusation': (random: Random): readonly Fault[] => [
    {
      kind: oneOf(random, ['a', 'b']) === 'a' ? 'bus-read-only' : 'bus-restart',
      on: 'overdue',
      atMs: 400 + random.below(220),
      forMs: between(random, 300, 3_000),
    },
  ],
  /** The watchdogs cannot send just when they must. */
  'watchdogs are cut off at the accusation': (random: Random, setup: WorldSetup): readonly Fault[] => {
    const atMs = 450 + random.below(160);
    const forMs = between(random, 300, 4_000);
    return everyWatchdog(setup).map((target) => ({ kind: 'bus-stall', on: 'overdue', atMs, forMs, target, way: 'out' }) as const);
  },
  /** Orders of the strategy are stuck on their way when trading is stopped, and arrive when the book has been closed. */
  'orders under way': (random: Random): readonly Fault[] => [
    { kind: 'venue-stall', on: 'overdue', atMs: 0, forMs: between(random, 500, 12_000), target: 'strategy', way: 'out' },
  ],
  /** Orders of the strategy land between the worker's reading and its closes. */
  'orders land between reading and close': (random: Random, setup: WorldSetup): readonly Fault[] => {
    // The worker asks for orders and positions one after the other, and then sends.
    const workerMs = between(random, 60, 200);
    const strategyMs = workerMs * between(random, 5, 9);
    return [
      { kind: 'venue-clog', on: 'overdue', atMs: 0, forMs: 4_000, target: 'strategy', amount: strategyMs },
      { kind: 'venue-clog', on: 'overdue', atMs: 0, forMs: 4_000, target: aWorker(random, setup), amount: workerMs },
    ];
  },
  /** The strategy's host sleeps through the stop, and wakes with dead connections. */
  'strategy sleeps through the stop': (random: Random): readonly Fault[] => {
    const forMs = between(random, 1_000, 12_000);
    return [
      { kind: 'suspend', on: 'overdue', atMs: random.below(200), forMs, target: 'strategy' },
      { kind: 'bus-stall', on: 'overdue', atMs: 0, forMs: forMs + 1_500, target: 'strategy', way: 'both' },
    ];
  },
  /** The worker dies with a close on its way. */
  'worker dies in a close': (random: Random, setup: WorldSetup): readonly Fault[] => [
    { kind: 'crash', on: 'close', atMs: random.below(12), forMs: between(random, 500, 8_000), target: aWorker(random, setup) },
    { kind: 'venue-clog', on: 'panic', atMs: 0, forMs: 2_000, target: 'worker-1', amount: 5 + random.below(40) },
  ],
  /** The worker stops for longer than its claim, and goes on as if nothing were. */
  'worker stops in a close': (random: Random, setup: WorldSetup): readonly Fault[] => [
    {
      kind: 'stop',
      on: random.below(2) === 0 ? 'close' : 'fill',
      atMs: random.below(12),
      forMs: between(random, 1_500, 9_000),
      target: aWorker(random, setup),
    },
  ],
  /** The bus loses what it acknowledged while an exit is under way. */
  'bus forgets an exit': (random: Random): readonly Fault[] => [
    {
      kind: random.below(2) === 0 ? 'bus-failover' : 'bus-loss',
      on: random.below(2) === 0 ? 'panic' : 'close',
      atMs: random.below(40),
      forMs: between(random, 50, 2_000),
    },
  ],
  /** The panic stands on a bus that loses it before any worker has read it. */
  'a panic is lost with its bus': (random: Random, setup: WorldSetup): readonly Fault[] => {
    const forMs = between(random, 2_000, 9_000);
    return [
      ...everyWorker(setup).map((target) => ({ kind: 'crash', on: 'overdue', atMs: 300, forMs, target }) as const),
      { kind: 'bus-loss', on: 'panic', atMs: 2 + random.below(900), forMs: between(random, 50, 900) },
    ];
  },
  /** Those who watch die together with whom they watch. */
  'nobody watches': (random: Random, setup: WorldSetup): readonly Fault[] => {
    const forMs = between(random, 1_500, 12_000);
    return everyWatchdog(setup).map((target) => ({ kind: 'crash', on: 'overdue', atMs: random.below(500), forMs, target }) as const);
  },
  /** The strategy hears nothing of the stop. */
  'strategy is cut off at the stop': (random: Random): readonly Fault[] => [
    {
      kind: 'bus-stall',
      on: 'overdue',
      atMs: random.below(590),
      forMs: between(random, 900, 12_000),
      target: 'strategy',
      way: oneOf(random, ['in', 'both']) === 'in' ? 'in' : 'both',
    },
  ],
  /** The strategy is told to end while its orders are stuck on their way. */
  'told to end with orders under way': (random: Random): readonly Fault[] => {
    const atMs = between(random, 3_500, 7_500);
    return [
      {
        kind: 'venue-stall',
        atMs: atMs - between(random, 300, 2_000),
        forMs: between(random, 1_000, 12_000),
        target: 'strategy',
        way: 'out',
      },
      { kind: 'terminate', atMs, forMs: between(random, 500, 5_000), target: 'strategy' },
    ];
  },
  /** Nobody can read the trading state, and everything else is well. */
  'nobody can read the state': (random: Random): readonly Fault[] => [
    { kind: 'bus-doubt', atMs: between(random, 3_000, 12_000), forMs: between(random, 500, 30_000) },
  ],
  /** The wall clocks of all workers step just when a panic is about to come. */
  'wall clocks step before the panic': (random: Random, setup: WorldSetup): readonly Fault[] => {
    const amount = (random.below(2) === 0 ? -1 : 1) * between(random, 30_000, 4_000_000);
    return everyWorker(setup).map(
      (target) => ({ kind: 'wall-step', on: 'overdue', atMs: random.below(500), forMs: 0, target, amount }) as const,
    );
  },
  /** The venue turns closes away. */
  'closes are refused': (random: Random): readonly Fault[] => [
    { kind: random.below(2) === 0 ? 'venue-reject' : 'venue-closed', on: 'panic', atMs: 0, forMs: between(random, 500, 8_000), amount: 4 },
  ],
} as const satisfies Readonly<Record<string, Draw>>;

export type Coincidence = keyof typeof COINCIDENCES;
export const COINCIDENCE_NAMES = Object.keys(COINCIDENCES).filter((name): name is Coincidence => name in COINCIDENCES);

/** Breakers have a coincidence of their own: no exit may hide what a trip does. */
export function drawRunaway(random: Random): readonly Fault[] {
  const runaway: Fault = { kind: 'runaway', atMs: 14_000 + random.below(16_000), forMs: 0, amount: 12 + random.below(30) };
  switch (random.below(3)) {
    case 0:
      return [runaway];
    case 1:
      return [runaway, { kind: 'crash', on: 'trip', atMs: 20 + random.below(3_000), forMs: 500 + random.below(3_000), target: 'strategy' }];
    default:
      return [runaway, { kind: 'bus-restart', on: 'trip', atMs: random.below(10), forMs: 200 + random.below(1_000) }];
  }
}
