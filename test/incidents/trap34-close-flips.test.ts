/** S4 holds without the help of the venue. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 34: a close at twice the size flips the position; a venue ignores or refuses reduce-only', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it.each(['enforced', 'ignored', 'rejected'] as const)(
    'trap 34: S4: reduce-only %s: a lost answer and a stale book flip nothing',
    async (reduceOnly) => {
      scene = createExitScene();
      await scene.arm();
      scene.venue.seed([
        { symbol: 'AAPL', quantity: 10 },
        { symbol: 'MSFT', quantity: -4 },
      ]);
      scene.venue.set({ reduceOnly, staleReadsMs: 900, declaredReadLagMs: 0 });
      scene.worker();
      await scene.clock.advance(2_000);
      scene.venue.set({ dropAnswers: { next: 1 } });
      await scene.panic();
      await scene.until(async () => (await scene.completions()).length === 1, 30_000);
      const fills = scene.venue.events().filter((event) => event.kind === 'fill');
      expect(
        fills.map(({ symbol, positionAfter }) => ({ symbol, positionAfter })).sort((a, b) => a.symbol.localeCompare(b.symbol)),
      ).toEqual([
        { symbol: 'AAPL', positionAfter: 0 },
        { symbol: 'MSFT', positionAfter: 0 },
      ]);
    },
  );
});
