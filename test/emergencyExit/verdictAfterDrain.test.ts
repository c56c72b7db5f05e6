/** When a verdict may rest on a reading: only on one that was asked for after the last holder had nothing on its way. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('verdicts and holders', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  it('S5: flat rests on readings asked for after the last holder had drained: what it sent may have filled after the earlier ones', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    let answerLateMs = 0;
    let onTheWay = false;
    // The venue takes its picture of the positions at once, and the answer is long on its way.
    const slow = (broker: Broker): Broker => ({
      ...broker,
      positions: async (signal) => {
        const seen = await broker.positions(signal);
        onTheWay = answerLateMs > 0;
        await clock.sleep(answerLateMs);
        onTheWay = false;
        return seen;
      },
    });
    scene.worker({ wrapBroker: slow });
    await scene.holder({ event: 'attested' });
    await clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length > 0, 10_000, 'the first verdict');
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed' }]);
    answerLateMs = 1_000;
    await scene.until(() => onTheWay, 5_000, 'a reading on its way');
    // The last order of the holder fills; the holder learns of it, and says that nothing is under way.
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    await scene.holder({ event: 'drained' });
    await scene.until(() => venue.positions().size === 0, 10_000, 'the close of what filled late');
    const flat = async () => (await scene.completions()).filter(({ verdict }) => verdict === 'flat');
    expect(await flat()).toEqual([]);
    await scene.until(async () => (await flat()).length > 0, 10_000, 'flat');
  });

  it('S5: a holder that comes back under its old name does not speak for the process that died with orders on their way', async () => {
    scene = createExitScene();
    const { clock } = scene;
    await scene.arm();
    await scene.holder({ event: 'attested', pid: 1, inflight: 1 });
    await scene.holder({ event: 'registered', pid: 2 });
    await scene.holder({ event: 'attested', pid: 2 });
    scene.worker();
    await clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.state()).mode === 'HALTED', 1_000, 'the halt');
    await scene.holder({ event: 'drained', pid: 2 });
    await scene.until(async () => (await scene.completions()).length > 0, 10_000, 'a verdict');
    await clock.advance(2_000);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed', silentHolders: ['holder-1'] }]);
  });

  it('S3, S5: a holder whose report cannot be understood counts as one that has not drained', async () => {
    scene = createExitScene();
    const { clock, bus } = scene;
    await scene.arm();
    await scene.holder({ event: 'attested' });
    await bus.append('trading_lease:holder', {
      schema: '9',
      holder_id: 'from-the-future',
      account: 'default',
      epoch: '1',
      event: 'attested',
    });
    await bus.append('trading_lease:holder', { schema: '9', holder_id: 'elsewhere', account: 'other', epoch: '1', event: 'attested' });
    scene.worker();
    await clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.state()).mode === 'HALTED', 1_000, 'the halt');
    await scene.holder({ event: 'drained' });
    await scene.until(async () => (await scene.completions()).length > 0, 10_000, 'a verdict');
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed', silentHolders: ['from-the-future'] }]);
  });

  it('S5: a holder that has attested the next epoch, or an epoch that the bus fell back to, is still asked', async () => {
    scene = createExitScene();
    const { clock } = scene;
    await scene.arm(['default'], 1);
    await scene.holder({ event: 'attested', epoch: 1 });
    scene.worker();
    await clock.advance(300);
    await scene.panic({ epoch: 2 });
    await scene.until(async () => (await scene.completions()).length > 0, 10_000, 'a verdict');
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat_unconfirmed', silentHolders: ['holder-1'] }]);
  });
});
