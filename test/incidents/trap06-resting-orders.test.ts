/** Working orders are cancelled, and none may be left when flat is said. */
import { afterEach, describe, expect, it } from 'vitest';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 6: resting orders are not cancelled and refill after "flat"', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function exitWithRestingOrder(parts = intactWorkerParts) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    const order = {
      clientOrderId: 'r',
      symbol: 'MSFT',
      positionSide: 'net',
      side: 'buy',
      type: 'limit',
      quantity: 5,
      limitPrice: 50,
      reduceOnly: false,
    } as const;
    await scene.venue.broker('strategy').submit(order);
    scene.worker({ parts });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(12_000);
    return (await scene.completions()).map(({ verdict }) => verdict);
  }

  it('trap 6: S5: flat is said over a book without orders', async () => {
    expect(await exitWithRestingOrder()).toEqual(['flat']);
    expect(scene.venue.openOrders()).toBe(0);
  });

  it('trap 6: flat is never said while an order rests', async () => {
    const { plan } = intactWorkerParts.exit;
    const parts = {
      ...intactWorkerParts,
      exit: {
        ...intactWorkerParts.exit,
        readOrders: () => Promise.resolve([]),
        plan: (view: Parameters<typeof plan>[0]) => plan(view).filter((step) => step.do !== 'cancel'),
      },
    };
    expect(await exitWithRestingOrder(parts)).toEqual([]);
    expect((await scene.escalations()).map(({ verdict }) => verdict)).toEqual(['deadline_passed']);
    expect(scene.venue.openOrders()).toBe(1);
  });
});
