/** The drill on real processes and real bars: whoever dies, and however, the book ends flat. */
import { describe, expect, it } from 'vitest';
import { KILLS } from '../../src/drill/options.js';
import { expectFlat } from './expectFlat.js';
import { runDrill } from './runDrill.js';

const TIMEOUT_MS = 90_000;

describe('the drill', () => {
  it.each(KILLS.filter((kill) => kill !== 'bus-master'))(
    'S1 S4 S5 S6 S9 L2 L7: --kill %s ends in a flat book',
    { timeout: TIMEOUT_MS },
    async (kill) => {
      const run = await runDrill('--kill', kill);
      expectFlat(run);
      expect(run.document.positionsAtKill).toBe(10);
      expect(run.document.flatVerdict).toBe('flat');
      expect(run.document.ordersAttemptedAfterHalt).toBeGreaterThanOrEqual(20);
    },
  );
});
