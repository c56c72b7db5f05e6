/** A second worker finishes what a killed one began, and closes nothing twice. */
import { afterEach, describe, expect, it } from 'vitest';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 2: a worker killed after the first of three closes leaves the panic pending for ever', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function killAfterFirstClose(parts = intactWorkerParts) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.set({ latencyMs: 40 });
    scene.venue.seed(['A', 'B', 'C'].map((symbol) => ({ symbol, quantity: 10 })));
    const first = scene.worker({ parts, options: { concurrency: 1 } });
    scene.worker({ parts });
    await scene.clock.advance(500);
    await scene.panic();
    const killed = scene.until(() => scene.venue.positions().size === 2, 2_000).then(() => first.kill());
    await killed;
    return scene.clock.monotonicMs();
  }

  it('trap 2: L6, S4, S6: another worker finishes within the claim time, nothing is closed twice', async () => {
    const killedMs = await killAfterFirstClose();
    await scene.until(() => scene.venue.positions().size === 0, 5_000);
    expect(scene.clock.monotonicMs() - killedMs).toBeLessThanOrEqual(2_000 + 750);
    const fills = scene.venue.events().filter((event) => event.kind === 'fill');
    expect(fills.map((event) => event.symbol).sort()).toEqual(['A', 'B', 'C']);
    await scene.until(async () => (await scene.completions()).length === 1, 15_000);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', fencingToken: 2, worker: 'w2' }]);
    expect(await scene.unacknowledged()).toBe(0);
    expect((await scene.state()).mode).toBe('HALTED');
  });

  it('trap 2: the rest stays open when a panic is acknowledged before it is done', async () => {
    await killAfterFirstClose({ ...intactWorkerParts, received: async (delivery) => void (await delivery.ack()) });
    await scene.clock.advance(15_000);
    // The close that was in flight may have filled; the others were never sent.
    expect(scene.venue.positions().size).toBeGreaterThan(0);
  });
});
