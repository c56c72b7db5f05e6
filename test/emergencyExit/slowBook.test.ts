/** A venue that shows fills late, and says so: its book is believed later, and believed in the end. */
import { afterEach, describe, expect, it } from 'vitest';
import { newLeg, withOpenOrders, withReport, withSent } from '../../src/emergencyExit/legs.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('an exit at a venue whose book lags', () => {
  let scene: ExitScene | undefined;
  afterEach(() => scene?.end());

  it.each([0, 900, 2_500, 10_000])('S5, S6: dust is said in the end, however long the lag: %i ms', async (lagMs) => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.set({ staleReadsMs: lagMs, defaultMinQuantity: 0.5 });
    scene.venue.seed([{ symbol: 'AAPL', quantity: 0.4 }]);
    scene.worker();
    await scene.clock.advance(lagMs + 500);
    await scene.panic();
    await scene.until(async () => ((await scene?.completions()) ?? []).length === 1, 12_000 + 3 * lagMs);
    expect(await scene.completions()).toMatchObject([{ verdict: 'dust' }]);
  });

  it('S4: a reading that is older than the order does not show that it has ended', () => {
    const attempt = { number: 1, clientOrderId: 'c', side: 'sell', quantity: 10, sentMs: 1_000 } as const;
    const held = withReport(
      withSent(newLeg('A', 'net'), attempt, 10, 1_050),
      { orderId: 'o', status: 'working', filledQuantity: 0 },
      1_010,
      0,
    );
    const read = (openIds: readonly string[], sentMs: number) => ({
      openIds: new Set(openIds),
      sentMs,
      receivedMs: sentMs + 10,
      readLagMs: 2_500,
      doubtMs: 2_000,
    });
    const seen = withOpenOrders(held, read(['c'], 1_100));
    expect(withOpenOrders(seen, read([], 1_200)).last?.fate.kind).toBe('working');
    expect(withOpenOrders(seen, read([], 1_110 + 4_499)).last?.fate.kind).toBe('working');
    expect(withOpenOrders(seen, read([], 1_110 + 4_500)).last?.fate.kind).toBe('terminal');
  });
});
