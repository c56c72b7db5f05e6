/** A protective stop leaves right before the close of its own position, and comes back if that is refused. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 35: cancel and close race: sold twice; stop cancelled, close rejected: naked', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function exitWithStop(prepare: () => void) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    const stop = {
      clientOrderId: 's',
      symbol: 'AAPL',
      positionSide: 'net',
      side: 'sell',
      type: 'stop',
      quantity: 10,
      stopPrice: 80,
      reduceOnly: true,
    } as const;
    await scene.venue.broker('strategy').submit(stop);
    scene.worker();
    await scene.clock.advance(500);
    prepare();
    await scene.panic();
  }

  it('trap 35: the stop is put back each time that the close is rejected, and is gone with the position', async () => {
    // Rejects closes only: the stops that come back are sent in between.
    await exitWithStop(() => scene.venue.set({ closedMarket: { symbols: [] }, rejects: { everyNth: 2, sources: ['w1'] } }));
    scene.venue.set({ rejects: { next: 1, sources: ['w1'], reason: 'other' } });
    await scene.until(
      () => scene.venue.events().some((event) => event.kind === 'accepted' && event.type === 'stop' && event.source === 'w1'),
      2_000,
      'the restored stop',
    );
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(scene.venue.positions().size).toBe(0);
    expect(scene.venue.openOrders()).toBe(0);
    expect(
      scene.venue
        .events()
        .filter((event) => event.kind === 'fill')
        .map(({ positionAfter }) => positionAfter),
    ).toEqual([0]);
  });
});
