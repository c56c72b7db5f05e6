/** A protective stop leaves right before the close of its own position, and comes back if that is refused. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene, type WorkerSetup } from '../support/exitScene.js';

const STOP = {
  clientOrderId: 's',
  symbol: 'AAPL',
  positionSide: 'net',
  side: 'sell',
  type: 'stop',
  quantity: 10,
  stopPrice: 80,
} as const;

describe('trap 35: cancel and close race: sold twice; stop cancelled, close rejected: naked', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  async function exitWithStop(prepare: () => void, setup: WorkerSetup = {}) {
    scene = createExitScene();
    await scene.arm();
    scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    await scene.venue.broker('strategy').submit({ ...STOP, reduceOnly: true });
    scene.worker(setup);
    await scene.clock.advance(500);
    prepare();
    await scene.panic();
  }

  const fills = () =>
    scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [{ source: event.source, positionAfter: event.positionAfter }] : []));

  /** The price falls through the stop when the worker has read the book and is about to cancel. */
  const fallingAtCancel = (broker: Broker): Broker => ({
    ...broker,
    cancel: (order, signal) => {
      if (scene.venue.events().every(({ kind }) => kind !== 'fill')) scene.venue.fall();
      return broker.cancel(order, signal);
    },
  });

  it('trap 35: the stop is put back each time that the close is rejected, and is gone with the position', async () => {
    // Rejects closes only: the stops that come back are sent in between.
    await exitWithStop(() => scene.venue.set({ closedMarket: { symbols: [] }, rejects: { everyNth: 2, sources: ['w1'] } }));
    scene.venue.set({ rejects: { next: 1, sources: ['w1'], reason: 'other' } });
    await scene.until(
      () => scene.venue.events().some((event) => event.kind === 'accepted' && event.type === 'stop' && event.source === 'w1'),
      2_000,
      'the restored stop',
    );
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(scene.venue.positions().size).toBe(0);
    expect(scene.venue.openOrders()).toBe(0);
    expect(fills().map(({ positionAfter }) => positionAfter)).toEqual([0]);
  });

  it.each([
    ['a part', 4, [6]],
    ['all', 10, []],
  ])(
    'trap 35: S4: if %s of the position has gone when its close is rejected, no more comes back than is left',
    async (_what, gone, back) => {
      const goingAtClose = (broker: Broker): Broker => ({
        ...broker,
        submit: async (order, signal) => {
          const byHand = { clientOrderId: 'by-hand', symbol: 'AAPL', positionSide: 'net', side: 'sell', type: 'market' } as const;
          const isFirst = scene.venue.events().every(({ kind }) => kind !== 'fill');
          if (isFirst) await scene.venue.broker('person').submit({ ...byHand, quantity: gone, reduceOnly: false });
          return broker.submit(order, signal);
        },
      });
      await exitWithStop(() => scene.venue.set({ rejects: { next: 1, sources: ['w1'] } }), { wrapBroker: goingAtClose });
      await scene.clock.advance(12_000);
      const stops = scene.venue
        .events()
        .flatMap((event) => (event.kind === 'request' && event.type === 'stop' && event.source === 'w1' ? [event.quantity] : []));
      expect(stops).toEqual(back);
      expect(fills().at(-1)?.positionAfter).toBe(0);
      expect(scene.venue.openOrders()).toBe(0);
      expect(await scene.completions()).toMatchObject([{ verdict: 'flat' }]);
    },
  );

  it.each([
    ['a whole book', (broker: Broker) => broker],
    ['positions', (broker: Broker): Broker => ({ ...broker, openOrders: (signal) => currently(broker.openOrders, signal) })],
  ])('trap 35: S4: a stop that fires as it is cancelled has sold, and with %s that lags nothing is sold again', async (_what, lag) => {
    await exitWithStop(() => scene.venue.set({ staleReadsMs: 900, declaredReadLagMs: 0, reduceOnly: 'ignored' }), {
      wrapBroker: (broker) => fallingAtCancel(lag(broker)),
    });
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(fills()).toEqual([{ source: 'strategy', positionAfter: 0 }]);
  });

  /** Reads without the lag of the venue. */
  async function currently<T>(read: (signal?: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    scene.venue.set({ staleReadsMs: 0 });
    try {
      return await read(signal);
    } finally {
      scene.venue.set({ staleReadsMs: 900 });
    }
  }

  it('trap 35: S4: a stop that has sold a part before it is cancelled leaves less to close', async () => {
    await exitWithStop(() => scene.venue.set({ partialFills: { slices: 4, intervalMs: 200 }, reduceOnly: 'ignored' }), {
      wrapBroker: fallingAtCancel,
    });
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    expect(fills()[0]).toEqual({ source: 'strategy', positionAfter: 7.5 });
    expect(fills().map(({ positionAfter }) => positionAfter)).toEqual([7.5, 5.625, 3.75, 1.875, 0]);
  });
});
