/** A successor asks what became of the last attempt before it sends anything. */
import { afterEach, describe, expect, it } from 'vitest';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe("trap 42: a worker's claim runs out while its close is in flight, and the successor sends another", () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function takeover(parts = intactWorkerParts) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', executionDelayMs: 3_500 });
    const first = scene.worker({ parts });
    scene.worker({ parts });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(() => scene.venue.events().some((event) => event.kind === 'accepted'), 5_000);
    first.kill();
    await scene.clock.advance(25_000);
    return scene.venue
      .events()
      .filter((event) => event.kind === 'fill')
      .map(({ positionAfter }) => positionAfter);
  }

  it('trap 42: S4, S9: the close in flight is found by its id, and nothing is sent on top of it', async () => {
    expect(await takeover()).toEqual([0]);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', fencingToken: 2 }]);
  });
});
