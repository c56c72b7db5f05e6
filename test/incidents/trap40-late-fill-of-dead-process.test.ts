/** Process death is no evidence: a silent holder keeps the watch going. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, EVERY_SCENE, type ExitScene, type PlacedScene } from '../support/exitScene.js';

const LATE = {
  clientOrderId: 'late',
  symbol: 'AAPL',
  positionSide: 'net',
  side: 'buy',
  type: 'market',
  quantity: 5,
  reduceOnly: false,
} as const;

describe.each(EVERY_SCENE)('trap 40: an order of a dead process fills long after every timeout has passed: on %s', (_name, create) => {
  let scene: PlacedScene;
  afterEach(() => scene.end());

  it('trap 40: S5, S6: flat_unconfirmed names the silent holder, the panic stays held, and what fills late is closed', async () => {
    scene = await create();
    await scene.arm();
    await scene.holder({ event: 'attested', holderId: 'dead' });
    await scene.worker();
    await scene.pass(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed', silentHolders: ['dead'] }]);
    expect(await scene.unacknowledged()).toBe(1);
    await scene.pass(10_000);
    await scene.venue.broker('dead').submit(LATE);
    expect(scene.venue.positions().size).toBe(1);
    await scene.until(() => scene.venue.positions().size === 0, 2_000);
    expect(await scene.unacknowledged()).toBe(1);
  });

  it('trap 40: S5, S6: the watch outlives its worker: another one closes what fills late', async () => {
    scene = await create();
    await scene.arm();
    await scene.holder({ event: 'attested', holderId: 'dead' });
    const first = await scene.worker();
    await scene.pass(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000, 'the first verdict');
    await scene.worker();
    const [said] = await scene.completions();
    expect(said).toMatchObject({ verdict: 'flat_unconfirmed', worker: 'w1' });
    first.kill();
    await scene.pass(10_000);
    await scene.venue.broker('dead').submit(LATE);
    await scene.until(() => scene.venue.positions().size === 0, 5_000, 'an empty book');
    const fills = scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [`${event.source} → ${event.positionAfter}`] : []));
    expect(fills).toEqual(['dead → 5', 'w2 → 0']);
    expect(await scene.unacknowledged()).toBe(1);
  });
});

describe('trap 40: which holders have drained', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it.each([
    ['drained before it could know of the halt', { inflight: 0, unknownOutcomes: 0 }, 'before'],
    ['has an order in flight', { inflight: 1, unknownOutcomes: 0 }, 'after'],
    ['does not know what became of an order', { inflight: 0, unknownOutcomes: 1 }, 'after'],
  ])('trap 40: S5: a holder that %s has not drained', async (_what, open, when) => {
    scene = createExitScene();
    await scene.arm();
    await scene.holder({ event: 'attested', holderId: 'dead' });
    if (when === 'before') await scene.holder({ event: 'drained', holderId: 'dead', ...open });
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(500);
    if (when === 'after') await scene.holder({ event: 'drained', holderId: 'dead', ...open });
    await scene.clock.advance(12_000);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed', silentHolders: ['dead'] }]);
    await scene.holder({ event: 'drained', holderId: 'dead' });
    await scene.clock.advance(5_000);
    expect((await scene.completions()).map(({ verdict }) => verdict)).toEqual(['flat_unconfirmed', 'flat']);
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
