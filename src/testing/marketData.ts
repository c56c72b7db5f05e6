/** Bars for tests, drawn from a seed. */
import type { Random } from '../random.js';
import type { Bar } from '../venue/bars.js';

const START_PRICE = 100;
/** 2015-08-24, 13:30 UTC. */
const START_MS = 1_440_423_000_000;
const BAR_MS = 1_000;
const STEP = 0.002;

function rounded(price: number): number {
  return Math.round(price * 100) / 100;
}

/** So many bars, each within a few thousandths of the one before. */
export function randomWalk(random: Random, count: number): readonly Bar[] {
  let close = START_PRICE;
  return Array.from({ length: Math.max(1, count) }, (_, index) => {
    const open = close;
    close = Math.max(0.01, rounded(open * (1 + (random.next() - 0.5) * 2 * STEP)));
    return {
      openMs: START_MS + index * BAR_MS,
      open,
      high: Math.max(open, close),
      low: Math.min(open, close),
      close,
      volume: random.below(1_000),
    };
  });
}
