/** What cannot be closed is named. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 38: a remainder below the smallest order is reported as success', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('trap 38: S5: the verdict is dust, with symbol and quantity', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.set({ minQuantities: { AAPL: 1 } });
    scene.venue.seed([
      { symbol: 'AAPL', quantity: 0.4 },
      { symbol: 'MSFT', quantity: 3 },
    ]);
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(await scene.completions()).toMatchObject([
      { verdict: 'dust', positionsTotal: 2, positionsClosed: 1, residue: [{ symbol: 'AAPL', quantity: 0.4 }] },
    ]);
    expect(await scene.unacknowledged()).toBe(0);
  });
});
