/** Breakers on a clock that the test moves, and bars and results to feed them with. */
import type { StrategyBreakersConfig } from '../../src/breakers/config.js';
import type { StrategyBreakersDeps } from '../../src/breakers/face.js';
import { createStrategyBreakers } from '../../src/breakers/strategyBreakers.js';
import type { BreakerResult } from '../../src/messages/result.js';
import { ManualClock } from '../../src/testing/manualClock.js';

export const MINUTE_MS = 60_000;

export function scene(config: StrategyBreakersConfig, deps: StrategyBreakersDeps = {}) {
  const clock = new ManualClock();
  const breakers = createStrategyBreakers('mean-reversion', config, { clock, ...deps });
  let minutes = 0;
  return {
    clock,
    breakers,
    /** One bar a minute, received as its minute ends. */
    async bar(close: number) {
      await clock.advance(MINUTE_MS);
      minutes += 1;
      return breakers.recordBar({ openMs: clock.wallMs() - MINUTE_MS, close });
    },
    refusal: (intent: 'increase' | 'reduce' | 'cancel' = 'increase') => breakers.check(clock.monotonicMs(), intent),
    minutes: () => minutes,
  };
}

let results = 0;

export function result(pnl: number, closedAtMs = 1_000): BreakerResult {
  results += 1;
  return { pnl: String(pnl), closedAtMs, ids: [`fill-${results}`] };
}

/** A calm market: the closes swing by a tenth of a percent, slowly enough that a median of three leaves them as they are. */
export function calm(bars: number, around = 100): number[] {
  return Array.from({ length: bars }, (_, index) => around * (1 + Math.sin(index / 2) * 1e-3));
}
