/** Account and environment are checked before anything is cancelled or closed. */
import { afterEach, describe, expect, it } from 'vitest';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('trap 21: the exit worker is pointed at another account than the one that trades', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it.each([
    ['account', { account: 'testnet' }],
    ['environment', { environment: 'production' }],
  ])('trap 21: another %s: nothing is closed, and people are told', async (_what, options) => {
    scene = createExitScene(['default', 'testnet']);
    await scene.arm(['testnet', 'default']);
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    const worker = scene.worker({ options });
    await scene.clock.advance(500);
    await scene.panic({ scope: 'account' in options ? options.account : 'default' });
    await scene.clock.advance(15_000);
    expect(scene.venue.events().filter((event) => event.kind === 'request')).toEqual([]);
    expect(scene.venue.positions().size).toBe(1);
    expect(await scene.completions()).toEqual([]);
    expect((await scene.escalations()).map(({ verdict }) => verdict)).toEqual(['wrong_account']);
    expect(worker.alerts.map(({ kind }) => kind)).toContain('exit.wrong_account');
    expect(await scene.unacknowledged('account' in options ? options.account : 'default')).toBe(1);
  });
});
