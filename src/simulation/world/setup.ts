/** What a simulated world begins with: who is there, what is open, and how bus and venue are kept. All of it goes into a stored schedule. */
import type { BrokerCapabilities } from '../../broker/broker.js';
import type { Random } from '../../random.js';

export interface WorldSetup {
  readonly watchdogs: number;
  readonly workers: number;
  /** Signed quantities by symbol, held when trading begins. */
  readonly positions: Readonly<Record<string, number>>;
  readonly ordersPerS: number;
  /** Every so many orders one is left resting below the market. 0: none. */
  readonly restingEvery: number;
  readonly replicatedBus: boolean;
  readonly reduceOnly: BrokerCapabilities['reduceOnly'];
  /** 0: orders never expire. */
  readonly orderExpiryMs: number;
  readonly killSwitch: boolean;
  /** Listeners, loggers and alert sinks throw, reject and hang. */
  readonly hostileObservers: boolean;
  /** Beats and leases are so many times slower than their defaults, as for a strategy that trades seldom. */
  readonly pace: number;
}

/** What came to a world after the first schedules were stored, as it was before. */
export const QUIET_SETUP = { hostileObservers: false } as const satisfies Partial<WorldSetup>;

/** Nearly all worlds beat at this pace: what a default world does ten times a second would cost a campaign nine seeds of ten. */
export const CALM_PACE = 32;
const BRISK_PACE = 4;

export function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

function drawPace(random: Random): number {
  const drawn = random.below(200);
  if (drawn === 0) return 1;
  return drawn < 5 ? BRISK_PACE : CALM_PACE;
}

export function drawSetup(random: Random): WorldSetup {
  const symbols = 2 + random.below(4);
  const positions: Record<string, number> = {};
  for (let index = 0; index < symbols; index += 1) positions[`S${index + 1}`] = (1 + random.below(50)) * (random.below(4) === 0 ? -1 : 1);
  return {
    watchdogs: random.below(4) === 0 ? 2 : 1,
    workers: random.below(3) === 0 ? 2 : 1,
    positions,
    ordersPerS: 6 + random.below(3),
    restingEvery: random.below(2) === 0 ? 0 : 4,
    replicatedBus: random.below(2) === 0,
    reduceOnly: random.below(4) === 0 ? 'rejected' : 'enforced',
    orderExpiryMs: random.below(2) === 0 ? 0 : 5_000,
    killSwitch: random.below(3) === 0,
    pace: drawPace(random),
    hostileObservers: random.below(3) === 0,
  };
}
