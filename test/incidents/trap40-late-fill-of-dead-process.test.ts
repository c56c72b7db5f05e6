/** Process death is no evidence: a silent holder keeps the watch going. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 40: an order of a dead process fills long after every timeout has passed', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('trap 40: S5, S6: flat_unconfirmed names the silent holder, the panic stays held, and what fills late is closed', async () => {
    scene = createExitScene();
    await scene.arm();
    await scene.holder({ event: 'attested', holderId: 'dead' });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed', silentHolders: ['dead'] }]);
    expect(await scene.unacknowledged()).toBe(1);
    await scene.clock.advance(10_000);
    const late = {
      clientOrderId: 'late',
      symbol: 'AAPL',
      positionSide: 'net',
      side: 'buy',
      type: 'market',
      quantity: 5,
      reduceOnly: false,
    } as const;
    await scene.venue.broker('dead').submit(late);
    expect(scene.venue.positions().size).toBe(1);
    await scene.until(() => scene.venue.positions().size === 0, 2_000);
    expect(await scene.unacknowledged()).toBe(1);
  });

  it('trap 40: S5: where the venue ends every order, its expiry ends the watch', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.set({ orderExpiryMs: 4_000 });
    await scene.holder({ event: 'attested', holderId: 'dead' });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    const startedMs = scene.clock.monotonicMs();
    await scene.until(async () => (await scene.completions()).some(({ verdict }) => verdict === 'flat'), 12_000);
    expect(scene.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(750 + 2_000 + 4_000);
    expect(await scene.unacknowledged()).toBe(0);
  });
});
