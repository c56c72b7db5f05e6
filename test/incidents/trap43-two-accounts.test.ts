/** Each account has its own group, and a panic without scope is for all of them. */
import { afterEach, describe, expect, it } from 'vitest';
import { EVERY_SCENE, type PlacedScene } from '../support/exitScene.js';

describe.each(EVERY_SCENE)('trap 43: one consumer group for two accounts: one account is never closed: on %s', (_name, create) => {
  let scene: PlacedScene;
  afterEach(() => scene.end());

  async function begin(): Promise<void> {
    scene = await create(['default', 'second']);
    await scene.arm(['default', 'second']);
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.seed(
      [
        { symbol: 'AAPL', quantity: -4 },
        { symbol: 'MANUAL', quantity: 1 },
      ],
      'second',
    );
    await scene.worker();
    await scene.worker({ account: 'second' });
    await scene.pass(500);
  }

  const completed = async () => (await scene.completions()).map(({ incident, verdict }) => `${incident} ${verdict}`).sort();

  it('trap 43: trap 33: S6: a panic without scope closes every armed account, one incident each', async () => {
    await begin();
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length >= 2, 12_000, 'a completion of each account');
    await scene.until(async () => (await scene.unacknowledged()) + (await scene.unacknowledged('second')) === 0, 2_000);
    expect([...scene.venue.positions(), ...scene.venue.positions('second')]).toEqual([]);
    expect(await completed()).toEqual(['default@1 flat', 'second@1 flat']);
  });

  it('trap 43: trap 33: S6: a panic with a scope leaves the other account alone', async () => {
    await begin();
    await scene.panic({ scope: 'second' });
    await scene.until(async () => (await scene.completions()).length >= 1, 12_000, 'a completion');
    await scene.pass(2_000);
    expect(await completed()).toEqual(['second@1 flat']);
    expect(scene.venue.positions().size).toBe(1);
  });
});
