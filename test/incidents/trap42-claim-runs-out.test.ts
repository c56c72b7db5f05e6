/** A successor asks what became of the last attempt before it sends anything, and its predecessor sends nothing any more. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import type { Bus } from '../../src/bus/bus.js';
import { CLOSE_ATTEMPTS } from '../../src/messages/closeAttempt.js';
import { createExitScene, type ExitScene, type RunningWorker, type WorkerSetup } from '../support/exitScene.js';

describe("trap 42: a worker's claim runs out while its close is in flight, and the successor sends another", () => {
  let scene: ExitScene;
  let first: RunningWorker;
  afterEach(() => scene.end());

  /** Two workers at a venue that caps nothing, and forgets ids as soon as their orders have ended. */
  async function takeover(setup: WorkerSetup) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    scene.venue.set({ reduceOnly: 'rejected', clientOrderIds: 'while_open', orderExpiryMs: 7_000 });
    first = scene.worker(setup);
    scene.worker();
    await scene.clock.advance(500);
    await scene.panic();
    await scene.clock.advance(25_000);
  }

  const killedAfterSending = (broker: Broker): Broker => ({
    ...broker,
    submit: (order, signal) => {
      const answer = broker.submit(order, signal);
      first.kill();
      return answer;
    },
  });

  const fills = () =>
    scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [{ source: event.source, positionAfter: event.positionAfter }] : []));
  const sentBy = (source: string) => scene.venue.events().filter((event) => event.kind === 'request' && event.source === source);

  it('trap 42: S4, S9: a close that reaches the venue after the takeover is waited for, and nothing is sent on top of it', async () => {
    // On its way for longer than a claim lasts and a reading is doubted together: only the venue's expiry outlasts it.
    await takeover({ wrapBroker: killedAfterSending, orderTransitMs: () => 5_500 });
    expect(fills()).toEqual([{ source: 'w1', positionAfter: 0 }]);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', fencingToken: 2, worker: 'w2' }]);
  });

  it('trap 42: S4, S9: one that slept through the takeover with a close on its lips does not send it when it wakes up', async () => {
    const stoppedAfterNote = (bus: Bus): Bus =>
      new Proxy(bus, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]): unknown => {
            const answer: unknown = Reflect.apply(value, target, args);
            if (name === 'append' && args[0] === CLOSE_ATTEMPTS) {
              first.freeze();
              scene.clock.setTimer(3_000, () => first.thaw());
            }
            return answer;
          };
        },
      });
    await takeover({ wrapBus: stoppedAfterNote });
    expect(sentBy('w1'), 'sent after the claim had run out').toEqual([]);
    expect(fills()).toEqual([{ source: 'w2', positionAfter: 0 }]);
    expect(await scene.completions()).toMatchObject([{ verdict: 'flat', fencingToken: 2, worker: 'w2' }]);
  });

  it.each(['rejected', 'ignored', 'enforced'] as const)(
    'trap 42: S4, S9: reduce-only %s: while it is sent again and refused, what was sent before may still arrive, and nothing is sent beside it',
    async (reduceOnly) => {
      scene = createExitScene();
      await scene.arm();
      scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
      scene.venue.set({ reduceOnly, rejects: { next: 2, sources: ['w2'] } });
      first = scene.worker({ wrapBroker: killedAfterSending, orderTransitMs: () => 3_000 });
      scene.worker();
      await scene.clock.advance(500);
      await scene.panic();
      await scene.clock.advance(25_000);
      expect(fills().map(({ positionAfter }) => positionAfter)).toEqual([0]);
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
    expect(sentBy('w2'), 'neither cancelled nor sent again').toEqual([]);
    expect(fills()).toEqual([{ source: 'w1', positionAfter: 0 }]);
  });
});
