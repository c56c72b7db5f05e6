/** A read that fails is unknown, never an empty book. */
import { afterEach, describe, expect, it } from 'vitest';
import { intactWorkerParts } from '../../src/emergencyExit/workerContext.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 1: a failed position read is reported as "0 positions, done"', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function verdictsWhileReadsFail(parts = intactWorkerParts) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.worker({ parts });
    await scene.clock.advance(500);
    scene.venue.set({ readFailures: { forMs: 12_000 } });
    await scene.panic();
    await scene.clock.advance(11_500);
    return (await scene.completions()).map(({ verdict }) => verdict);
  }

  it('trap 1: S5: no verdict but an escalation while reads fail, and the book is closed once they come back', async () => {
    expect(await verdictsWhileReadsFail()).toEqual([]);
    expect((await scene.escalations()).map(({ verdict }) => verdict)).toEqual(['deadline_passed']);
    await scene.until(async () => (await scene.completions()).length === 1, 10_000);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', positionsTotal: 1, positionsClosed: 1 }]);
    expect(scene.venue.positions().size).toBe(0);
  });

  it('trap 1: the same exit says flat over an open book when a failed read counts as nothing there', async () => {
    const { readBook } = intactWorkerParts.exit;
    const readNothing: typeof readBook = async (broker, clock, timeoutMs, between) => {
      const reading = await readBook(broker, clock, timeoutMs, between);
      const nowMs = clock.monotonicMs();
      return reading.ok
        ? reading
        : { ok: true, book: { positions: [], orders: [], sentMs: nowMs, positionsSentMs: nowMs, receivedMs: nowMs } };
    };
    expect(await verdictsWhileReadsFail({ ...intactWorkerParts, exit: { ...intactWorkerParts.exit, readBook: readNothing } })).toEqual([
      'flat',
    ]);
    expect(scene.venue.positions().size).toBe(1);
  });
});
