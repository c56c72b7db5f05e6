/** The exit worker as a whole: from a panic on the bus to a verdict, in one process, on a clock of its own. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('exit worker', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('S5, S6: a panic becomes halt, cancels, closes, flat after the horizon, completion, acknowledgement, in this order', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.set({ latencyMs: 50 });
    venue.seed(Array.from({ length: 50 }, (_, index) => ({ symbol: `S${index}`, quantity: index % 2 === 0 ? 10 : -10 })));
    const strategy = venue.broker('strategy');
    for (let index = 0; index < 5; index++) {
      void strategy.submit({
        clientOrderId: `r${index}`,
        symbol: `S${index}`,
        positionSide: 'net',
        side: 'buy',
        type: 'limit',
        quantity: 1,
        reduceOnly: false,
        limitPrice: 50,
      });
    }
    await clock.advance(60);
    expect(venue.openOrders()).toBe(5);
    await scene.holder({ event: 'attested' });
    const worker = scene.worker();
    await clock.advance(300);
    const startedMs = clock.monotonicMs();
    await scene.panic();
    await scene.until(async () => (await scene.state()).mode === 'HALTED', 100, 'the halt');
    expect(venue.events().filter((event) => event.kind === 'request' && event.what === 'submit' && event.source === 'w1')).toEqual([]);
    const haltedMs = clock.monotonicMs();
    await scene.holder({ event: 'drained' });
    await scene.until(() => venue.positions().size === 0 && venue.openOrders() === 0, 1_000, 'the empty book');
    expect(clock.monotonicMs() - startedMs).toBeLessThanOrEqual(1.25 * 5 * 50 + 250);
    expect(await scene.completions()).toEqual([]);
    expect(await scene.unacknowledged()).toBe(1);
    await scene.until(async () => (await scene.completions()).length > 0, 10_000, 'the completion');
    expect(clock.monotonicMs() - haltedMs).toBeGreaterThanOrEqual(750 + 2_000);
    expect(clock.monotonicMs() - haltedMs).toBeLessThanOrEqual(750 + 2_000 + 500);
    await scene.until(async () => (await scene.unacknowledged()) === 0, 1_000, 'the acknowledgement');
    const audited = await scene.audited();
    expect(audited.indexOf('state.halted')).toBeLessThan(audited.indexOf('exit.cancel'));
    expect(audited.filter((event) => event === 'exit.close_attempt')).toHaveLength(50);
    const [completion] = await scene.completions();
    expect(completion).toMatchObject({ verdict: 'flat', positionsTotal: 50, positionsClosed: 50, silentHolders: [], fencingToken: 1 });
    expect(worker.alerts.map((alert) => alert.kind)).toEqual(['exit.panic_received', 'exit.flat']);
  });
});
