/** What an order filled counts, not that it was taken. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 7: "accepted" counts as closed; hedge mode without a position side', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('trap 7: S5: an order that expires with nothing filled is followed by another', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.worker();
    await scene.clock.advance(500);
    scene.venue.set({ expireMarketOrders: { next: 2 } });
    await scene.panic();
    await scene.until(() => scene.venue.positions().size === 0, 1_500, 'the close after those that expired');
    await scene.until(async () => (await scene.completions()).length === 1, 10_000);
    expect(scene.venue.events().filter((event) => event.kind === 'expired')).toHaveLength(2);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', positionsClosed: 1 }]);
  });

  it('trap 7: S4: an order that was taken is waited for, however long nothing fills, and not closed on top of', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    // Longer than any reading is doubted, at a venue that would let a second close sell again.
    scene.venue.set({ reduceOnly: 'rejected', executionDelayMs: 3_500, latencyMs: 20, readLatencyMs: 10 });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(6_000);
    const closes = scene.venue.events().filter((event) => event.kind === 'accepted' || event.kind === 'fill');
    expect(closes.map(({ kind }) => kind)).toEqual(['accepted', 'fill']);
    expect(closes[1]).toMatchObject({ positionBefore: 10, positionAfter: 0 });
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
  });

  it('trap 7: S4: both sides of a hedged symbol are closed, each by its own position side', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.set({ positionMode: 'hedge' });
    scene.venue.seed([
      { symbol: 'BTC', quantity: 3, positionSide: 'long' },
      { symbol: 'BTC', quantity: -2, positionSide: 'short' },
    ]);
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(12_000);
    const fills = scene.venue.events().filter((event) => event.kind === 'fill');
    expect(
      fills.map(({ positionSide, side, quantity }) => ({ positionSide, side, quantity })).sort((a, b) => b.quantity - a.quantity),
    ).toEqual([
      { positionSide: 'long', side: 'sell', quantity: 3 },
      { positionSide: 'short', side: 'buy', quantity: 2 },
    ]);
    expect(scene.venue.positions().size).toBe(0);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', positionsClosed: 2 }]);
  });
});
