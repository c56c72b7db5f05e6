/** A worker that cannot close leaves the incident to one that can, and goes on trying where there is none. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Broker, BrokerUnavailableError } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene, type WorkerSetup } from '../support/exitScene.js';

describe('a worker that cannot close', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  const takenUp = async () => (await scene.audited()).filter((event) => event === 'exit.taken_up').length;
  const verdicts = async () => (await scene.escalations()).map(({ verdict, worker }) => `${verdict} by ${worker}`);

  /** The first worker has the incident before any other is there. */
  async function claimedBy(first: WorkerSetup, prepare = () => {}) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    prepare();
    const worker = scene.worker(first);
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await takenUp()) > 0, 2_000, 'the claim');
    return worker;
  }

  const whileLost =
    (lost: { value: boolean }) =>
    (broker: Broker): Broker => {
      const orLost =
        <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
        (...args: A) =>
          lost.value ? Promise.reject(new BrokerUnavailableError('no route')) : call(...args);
      return { ...broker, positions: orLost(broker.positions), openOrders: orLost(broker.openOrders), identity: orLost(broker.identity) };
    };

  it('trap 21, S6, L6: one with the wrong environment says so, and a standby with the right one closes', async () => {
    const first = await claimedBy({ options: { environment: 'production' } });
    await scene.until(async () => (await scene.escalations()).length > 0, 2_000, 'the escalation');
    scene.worker();
    await scene.until(() => scene.venue.positions().size === 0, 5_000, 'the empty book');
    await scene.until(async () => (await scene.completions()).length > 0, 10_000, 'the completion');
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', worker: 'w2' }]);
    expect(await verdicts()).toEqual(['wrong_account by w1']);
    expect(first.alerts.filter(({ kind }) => kind === 'exit.wrong_account')).toHaveLength(1);
    await scene.until(async () => (await scene.unacknowledged()) === 0, 6_000, 'the acknowledgement');
  });

  it.each([
    ['has lost its venue before it began', true],
    ['loses its venue on the way', false],
  ])('S6, L6: one that %s leaves the book to a standby that reaches it', async (_what, beforehand) => {
    const lost = { value: beforehand };
    await claimedBy({ wrapBroker: whileLost(lost) }, () => scene.venue.set({ closedMarket: { symbols: 'all' } }));
    await scene.clock.advance(300);
    lost.value = true;
    scene.venue.set({ closedMarket: { symbols: [] } });
    scene.worker();
    await scene.until(async () => (await scene.completions()).length > 0, 12_000, 'the completion');
    expect(scene.venue.positions().size).toBe(0);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', worker: 'w2' }]);
  });

  it('S6: where there is no other it goes on trying, and closes as soon as it can', async () => {
    const lost = { value: true };
    await claimedBy({ wrapBroker: whileLost(lost) });
    await scene.clock.advance(20_000);
    expect(await verdicts()).toEqual(['deadline_passed by w1']);
    expect(await scene.unacknowledged()).toBe(1);
    lost.value = false;
    await scene.until(() => scene.venue.positions().size === 0, 1_500, 'the empty book');
    await scene.until(async () => (await scene.completions()).length > 0, 5_000, 'the completion');
  });

  it('S6: a venue that comes and goes does not make it count from the beginning how long an answer has been awaited', async () => {
    const lost = { value: false };
    await claimedBy({ wrapBroker: whileLost(lost) }, () =>
      scene.venue.set({ clientOrderIds: 'while_open', loseOrders: { next: 1, sources: ['w1'] } }),
    );
    const flap = () => {
      lost.value = !lost.value;
      scene.clock.setTimer(lost.value ? 2_200 : 1_000, flap);
    };
    scene.clock.setTimer(500, flap);
    await scene.until(() => scene.venue.positions().size === 0, 20_000, 'the empty book');
  });

  it('S6, S9: an answer that takes longer than a claim lasts costs nobody the claim', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.worker({ orderTransitMs: () => 4_500 });
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(async () => (await takenUp()) > 0, 2_000, 'the claim');
    scene.worker();
    await scene.until(async () => (await scene.completions()).length > 0, 15_000, 'the completion');
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', worker: 'w1', fencingToken: 1 }]);
  });
});
