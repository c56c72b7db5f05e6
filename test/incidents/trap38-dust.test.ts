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
    const sent = scene.venue.events().flatMap((event) => (event.kind === 'request' ? [event.symbol] : []));
    expect(sent, 'what the venue would refuse is not sent').toEqual(['MSFT']);
  });

  it('trap 38: S5: what partial fills leave below the smallest order is dust, and no closed position', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 3 }]);
    // Each close fills a third of itself and ends: 3, 2, 4/3, 8/9.
    scene.venue.set({ minQuantities: { AAPL: 1 }, partialFills: { slices: 3, endAfter: 1 } });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    const left = scene.venue.positions().get('AAPL/net');
    expect(left).toBeCloseTo(8 / 9);
    expect(await scene.completions()).toMatchObject([
      { verdict: 'dust', positionsTotal: 1, positionsClosed: 0, failedSymbols: ['AAPL'], residue: [{ symbol: 'AAPL', quantity: left }] },
    ]);
  });
});
