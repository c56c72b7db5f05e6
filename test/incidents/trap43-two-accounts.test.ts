/** Each account has its own group, and a panic without scope is for all of them. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 43: one consumer group for two accounts: one account is never closed', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('trap 43: trap 33: S6: a panic without scope closes every armed account, one incident each', async () => {
    scene = createExitScene(['default', 'second']);
    await scene.arm(['default', 'second']);
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.seed(
      [
        { symbol: 'AAPL', quantity: -4 },
        { symbol: 'MANUAL', quantity: 1 },
      ],
      'second',
    );
    scene.worker();
    scene.worker({ account: 'second' });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(12_000);
    const open = [...scene.venue.positions(), ...scene.venue.positions('second')];
    expect(open).toEqual([]);
    expect((await scene.completions()).map(({ incident, verdict }) => `${incident} ${verdict}`).sort()).toEqual([
      'default@1 flat',
      'second@1 flat',
    ]);
    expect([await scene.unacknowledged(), await scene.unacknowledged('second')]).toEqual([0, 0]);
  });

  it('trap 33: S6: a panic with a scope leaves the other account alone', async () => {
    scene = createExitScene(['default', 'second']);
    await scene.arm(['default', 'second']);
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.seed([{ symbol: 'AAPL', quantity: -4 }], 'second');
    scene.worker();
    scene.worker({ account: 'second' });
    await scene.clock.advance(500);
    await scene.panic({ scope: 'second' });
    await scene.clock.advance(12_000);
    expect((await scene.completions()).map(({ incident }) => incident)).toEqual(['second@1']);
    expect(scene.venue.positions().size).toBe(1);
  });
});
