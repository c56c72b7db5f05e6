/** A successor asks what became of the last attempt before it sends anything, and its predecessor sends nothing any more. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { Bus } from '../../src/bus/bus.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import {
  createExitScene,
  EVERY_SCENE,
  type ExitScene,
  type PlacedScene,
  type RunningWorker,
  type WorkerSetup,
} from '../support/exitScene.js';

const fillsAt = ({ venue }: Pick<PlacedScene, 'venue'>) =>
  venue.events().flatMap((event) => (event.kind === 'fill' ? [{ source: event.source, positionAfter: event.positionAfter }] : []));
const sentTo = ({ venue }: Pick<PlacedScene, 'venue'>, source: string) =>
  venue.events().filter((event) => event.kind === 'request' && event.source === source);

const killedAfterSending =
  (worker: () => RunningWorker) =>
  (broker: Broker): Broker => ({
    ...broker,
    submit: (order, signal) => {
      const answer = broker.submit(order, signal);
      worker().kill();
      return answer;
    },
  });

/** A bus under whose worker something happens as soon as it has noted a close. */
const afterNote =
  (happens: () => void) =>
  (bus: Bus): Bus =>
    new Proxy(bus, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const answer: unknown = Reflect.apply(value, target, args);
          if (name === 'append' && args[0] === CLOSE_ATTEMPTS) happens();
          return answer;
        };
      },
    });

describe.each(EVERY_SCENE)("trap 42: a worker's claim runs out while its close is in flight: on %s", (_name, create) => {
  let scene: PlacedScene;
  let first: RunningWorker;
  afterEach(() => scene.end());

  /** A worker at a venue that caps nothing and forgets ids as soon as their orders have ended, and its successor when it is gone. */
  async function takeover(setup: WorkerSetup, isGone: () => boolean) {
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', clientOrderIds: 'while_open', orderExpiryMs: scene.ms(7_000) });
    first = await scene.worker(setup);
    await scene.pass(500);
    await scene.panic();
    await scene.until(isGone, 5_000, 'the end of the first worker');
    await scene.worker();
    await scene.until(async () => (await scene.completions()).length > 0, 25_000, 'a completion');
  }

  const completed = async () => expect(await scene.completions()).toMatchObject([{ verdict: 'flat', fencingToken: 2, worker: 'w2' }]);

  it('trap 42: S4, S9: a close that reaches the venue after the takeover is waited for, and nothing is sent on top of it', async () => {
    scene = await create();
    // On its way for longer than a claim lasts and a reading is doubted together: only the venue's expiry outlasts it.
    const setup = { wrapBroker: killedAfterSending(() => first), orderTransitMs: () => scene.ms(5_500) };
    await takeover(setup, () => first.killed());
    expect(fillsAt(scene)).toEqual([{ source: 'w1', positionAfter: 0 }]);
    await completed();
  });

  it('trap 42: S4, S9: one that slept through the takeover with a close on its lips does not send it when it wakes up', async () => {
    scene = await create();
    let asleep = false;
    const sleep = () => {
      if (!asleep) first.freeze();
      asleep = true;
    };
    await takeover({ wrapBus: afterNote(sleep) }, () => asleep);
    first.thaw();
    await scene.pass(4_000);
    expect(sentTo(scene, 'w1'), 'sent after the claim had run out').toEqual([]);
    expect(fillsAt(scene)).toEqual([{ source: 'w2', positionAfter: 0 }]);
    await completed();
  });
});

describe('trap 42: what was sent before the takeover', () => {
  let scene: ExitScene;
  let first: RunningWorker;
  afterEach(() => scene.end());

  it.each(['rejected', 'ignored', 'enforced'] as const)(
    'trap 42: S4, S9: reduce-only %s: while it is sent again and refused, what was sent before may still arrive, and nothing is sent beside it',
    async (reduceOnly) => {
      scene = createExitScene();
      await scene.arm();
      scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
      scene.venue.set({ reduceOnly, rejects: { next: 2, sources: ['w2'] } });
      first = scene.worker({ wrapBroker: killedAfterSending(() => first), orderTransitMs: () => 3_000 });
      scene.worker();
      await scene.clock.advance(500);
      await scene.panic();
      await scene.clock.advance(25_000);
      expect(fillsAt(scene).map(({ positionAfter }) => positionAfter)).toEqual([0]);
      const ids = scene.venue.events().flatMap((event) => (event.kind === 'request' ? [event.clientOrderId] : []));
      expect(new Set(ids).size, 'the venue knows by its id what came twice').toBe(1);
      expect(await scene.completions()).toMatchObject([{ verdict: 'flat', worker: 'w2' }]);
    },
  );

  it('trap 42: S4, S9: where ids last, the close in flight is found by its id', async () => {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', executionDelayMs: 3_500 });
    first = scene.worker();
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.until(() => scene.venue.events().some((event) => event.kind === 'accepted'), 5_000);
    first.kill();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(sentTo(scene, 'w2'), 'neither cancelled nor sent again').toEqual([]);
    expect(fillsAt(scene)).toEqual([{ source: 'w1', positionAfter: 0 }]);
  });
});
