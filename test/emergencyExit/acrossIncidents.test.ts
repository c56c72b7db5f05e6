/** Several incidents of one account: what one has sent is known to the next, and no two of them close the same book. */
import { afterEach, describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { faultyBus } from '../../src/testing/faultyBus.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('exits of one account', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  const fills = () => scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [event.positionAfter] : []));
  const verdicts = async () => (await scene.completions()).map(({ incident, verdict }) => `${incident} ${verdict}`);

  async function begin() {
    scene = createExitScene();
    await scene.arm();
    scene.venue.set({ reduceOnly: 'rejected' });
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
  }

  it('S4, S9: panics of two epochs at once, as after a failover that forgot a re-arm, close the book once', async () => {
    await begin();
    scene.venue.set({ latencyMs: 50 });
    scene.worker();
    scene.worker();
    await scene.clock.advance(300);
    await scene.panic();
    await scene.panic({ epoch: 2 });
    await scene.until(async () => (await scene.completions()).length === 2, 25_000, 'both verdicts');
    expect(fills()).toEqual([0]);
    expect((await verdicts()).sort()).toEqual(['default@1 flat', 'default@2 flat']);
  });

  it.each([1, 2])(
    'S4: of %i workers: a close of a superseded exit that is still on its way is waited for by the next one',
    async (workers) => {
      await begin();
      let sent = 0;
      for (let started = 0; started < workers; started++) scene.worker({ orderTransitMs: () => (sent++ === 0 ? 3_000 : 0) });
      await scene.clock.advance(300);
      await scene.panic();
      await scene.until(() => sent === 1, 5_000, 'the close has left');
      await scene.arm(['default'], 2);
      await scene.panic({ epoch: 2 });
      await scene.until(async () => (await scene.completions()).length === 1, 15_000, 'the verdict');
      expect(fills()).toEqual([0]);
      expect(await verdicts()).toEqual(['default@2 flat']);
    },
  );

  it('S6: a close that was given up by a re-arm long ago keeps no position open where nobody can be asked about it', async () => {
    await begin();
    scene.venue.set({ clientOrderIds: 'never', loseOrders: { next: 1 } });
    scene.worker();
    await scene.clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.escalations()).some(({ verdict }) => verdict === 'operator_needed'), 15_000, 'the call');
    await scene.arm(['default'], 2);
    await scene.clock.advance(120_000);
    await scene.panic({ epoch: 2 });
    await scene.until(() => scene.venue.positions().size === 0, 5_000, 'the empty book');
  });

  it('S6: a further panic of an epoch whose exit is over closes again where ended orders cannot be asked for', async () => {
    await begin();
    scene.venue.set({ clientOrderIds: 'never' });
    scene.worker();
    await scene.clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 15_000, 'the first verdict');
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    await scene.panic({ eventId: 'another' });
    await scene.until(async () => (await scene.completions()).length === 2, 15_000, 'the second verdict');
    expect(fills()).toEqual([0, 0]);
  });

  it('trap 42: S4: what a dead worker sent without being able to write it down is not sent beside it when the first send is refused', async () => {
    await begin();
    let sent = 0;
    const first = scene.worker({
      orderTransitMs: () => (sent++ === 0 ? 6_000 : 0),
      wrapBus: (bus) => {
        const faulty = faultyBus(bus);
        Object.assign(faulty.faults, { append: 'unknown_lost', appendStreams: [CLOSE_ATTEMPTS] });
        return faulty;
      },
    });
    await scene.clock.advance(300);
    await scene.panic();
    await scene.until(() => sent === 1, 5_000, 'the close has left');
    first.kill();
    let refusals = 1;
    scene.worker({
      wrapBroker: (broker) => ({
        ...broker,
        submit: async (order, signal) => {
          if (refusals-- > 0) throw new BrokerRejectedError('other', 'busy');
          return broker.submit(order, signal);
        },
      }),
    });
    await scene.until(async () => (await scene.completions()).length === 1, 25_000, 'the verdict');
    await scene.clock.advance(5_000);
    expect(fills()).toEqual([0]);
  });
});
