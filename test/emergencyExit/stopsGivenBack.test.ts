/** Protective stops that an exit took away and then did not close behind. */
import { afterEach, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

let scene: ExitScene;
afterEach(() => scene.end());
it('S4: an exit that is superseded between two protective stops leaves none of them taken away', async () => {
  scene = createExitScene();
  const { venue, clock } = scene;
  await scene.arm();
  venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
  const strategy = venue.broker('strategy');
  for (const n of [1, 2])
    void strategy.submit({
      clientOrderId: `s${n}`,
      symbol: 'AAPL',
      positionSide: 'net',
      side: 'sell',
      type: 'stop',
      quantity: 5,
      reduceOnly: true,
      stopPrice: 10,
    });
  await clock.advance(100);
  expect(venue.openOrders()).toBe(2);
  let cancels = 0;
  const failing = (broker: Broker): Broker => ({
    ...broker,
    cancel: async (order, signal) => {
      cancels++;
      if (cancels >= 2) {
        await clock.sleep(1_000);
        throw new Error('no answer');
      }
      return broker.cancel(order, signal);
    },
  });
  scene.worker({ wrapBroker: failing });
  await clock.advance(300);
  await scene.panic();
  await scene.until(() => cancels >= 2, 5_000, 'second cancel');
  await scene.arm(['default'], 2);
  await clock.advance(5_000);
  expect(venue.positions().get('AAPL/net')).toBeDefined();
  expect(venue.openOrders()).toBe(2);
});
