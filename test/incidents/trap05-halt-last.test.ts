/** Halt first: a strategy that goes on opening would race the exit. */
import { afterEach, describe, expect, it } from 'vitest';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 5: the halt is written last, after the closes', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function stateAtFirstClose(parts = intactWorkerParts) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.worker({ parts });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(() => scene.venue.positions().size === 0, 5_000);
    await scene.clock.advance(100);
    const audited = await scene.audited();
    return { halt: audited.indexOf('state.halted'), close: audited.indexOf('exit.close_attempt') };
  }

  it('trap 5: S1: the halt stands before the first close is sent', async () => {
    const { halt, close } = await stateAtFirstClose();
    expect(halt).toBeGreaterThanOrEqual(0);
    expect(halt).toBeLessThan(close);
  });

  it('trap 5: the closes come first when the order is turned round', async () => {
    const halting = {
      ...intactWorkerParts,
      atOnce: () => {},
      inOrder: async (raiseHalt: () => Promise<void>, exit: () => Promise<'over' | 'stopped'>) => {
        const end = await exit();
        await raiseHalt();
        return end;
      },
    };
    expect((await stateAtFirstClose(halting)).halt).toBe(-1);
  });
});
