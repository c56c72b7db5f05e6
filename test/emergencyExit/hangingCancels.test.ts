/** A venue that takes closes and never answers cancels. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('an exit whose cancels hang', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  /** More resting orders than there are turns, each of a symbol of its own. */
  async function begin(wrapBroker: (broker: Broker) => Broker, symbols: readonly string[]) {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    const strategy = venue.broker('strategy');
    const resting = { positionSide: 'net', side: 'buy', type: 'limit', quantity: 1, reduceOnly: false, limitPrice: 50 } as const;
    for (const symbol of symbols) void strategy.submit({ ...resting, symbol, clientOrderId: `resting-${symbol}` });
    await clock.advance(100);
    scene.worker({ wrapBroker });
    await clock.advance(300);
  }

  const BAD = Array.from({ length: 25 }, (_, index) => `BAD${index}`);
  const neverAnswered = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('given up')), { once: true }));

  it.each(['enforced', 'rejected'] as const)(
    'S6, L2: reduce-only %s: positions without such an order are closed all the same',
    async (reduceOnly) => {
      await begin((broker) => ({ ...broker, cancel: (_order, signal) => neverAnswered(signal) }), BAD);
      const { venue } = scene;
      venue.set({ reduceOnly });
      venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
      await scene.panic();
      // The first reading waits for the cancels as long as for any answer of the venue.
      await scene.until(() => venue.positions().size === 0, reduceOnly === 'enforced' ? 3_000 : 9_000, 'the close');
      await scene.until(async () => (await scene.escalations()).length > 0, 15_000, 'the escalation');
      expect(await scene.completions()).toEqual([]);
    },
  );

  it('S4: a position is not closed on a reading that may miss what its order filled while its cancel hangs', async () => {
    let answer: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await begin(
      (broker) => ({
        ...broker,
        cancel: async (order, signal) => {
          const result = await broker.cancel(order, signal);
          await answered;
          return result;
        },
      }),
      ['AAPL'],
    );
    const { venue, clock } = scene;
    venue.set({ reduceOnly: 'rejected' });
    venue.seed([{ symbol: 'AAPL', quantity: 5 }]);
    await scene.panic();
    await scene.until(() => venue.openOrders() === 0, 1_000, 'the end of the order');
    await clock.advance(3_000);
    expect(venue.positions().size).toBe(1);
    answer();
    await scene.until(() => venue.positions().size === 0, 3_000, 'the close');
  });
});
