/** Age alarms; it never drops a panic. */
import { afterEach, describe, expect, it } from 'vitest';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 3: a panic older than 60 s is acknowledged and dropped', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function oldPanic(parts = intactWorkerParts) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    await scene.panic();
    await scene.clock.advance(90_000);
    const worker = scene.worker({ parts });
    await scene.clock.advance(10_000);
    return worker;
  }

  it('trap 3: S6: it is carried out, and an alert says how old it is', async () => {
    const worker = await oldPanic();
    expect(scene.venue.positions().size).toBe(0);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat' }]);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('panic.old');
  });

  it('trap 3: the book stays open when age drops a panic', async () => {
    const { judgePanic } = intactWorkerParts;
    await oldPanic({
      ...intactWorkerParts,
      judgePanic: (view) =>
        view.wallMs - view.panic.wallMs > 60_000 ? { kind: 'stale_epoch', currentEpoch: view.state.epoch } : judgePanic(view),
    });
    expect(scene.venue.positions().size).toBe(1);
  });
});
