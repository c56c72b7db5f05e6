/** Books that no account can hold, and books larger than a record. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Broker, BrokerRejectedError, type Position, type WorkingOrder } from '../../src/broker/broker.js';
import { createExitScene, type ExitScene } from '../support/exitScene.js';

describe('an exit at a venue that answers strangely', () => {
  let scene: ExitScene;
  afterEach(() => scene.end());

  const showing =
    (change: (positions: readonly Position[]) => readonly Position[]) =>
    (broker: Broker): Broker => ({ ...broker, positions: async (signal) => change(await broker.positions(signal)) });

  const fills = () => scene.venue.events().flatMap((event) => (event.kind === 'fill' ? [event.positionAfter] : []));

  it('S4, S5: a position that stands twice in one answer makes the reading a failed one: neither is closed on top of the other', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.set({ reduceOnly: 'rejected', clientOrderIds: 'never', latencyMs: 50 });
    venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    let twice = true;
    scene.worker({ wrapBroker: showing((positions) => (twice ? [...positions, ...positions] : positions)) });
    await clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.escalations()).length > 0, 15_000, 'the escalation');
    expect(fills()).toEqual([]);
    twice = false;
    await scene.until(async () => (await scene.completions()).length > 0, 15_000, 'the verdict');
    expect(fills()).toEqual([0]);
  });

  it('S4: a short side whose quantity is written without its sign is not sold once more', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.set({ positionMode: 'hedge' });
    venue.seed([{ symbol: 'AAPL', quantity: -10, positionSide: 'short' }]);
    scene.worker({
      wrapBroker: showing((positions) => positions.map((position) => ({ ...position, quantity: Math.abs(position.quantity) }))),
    });
    await clock.advance(300);
    await scene.panic();
    await clock.advance(5_000);
    expect(venue.positions().get('AAPL/short')).toBe(-10);
  });

  it('trap 35: S4: protective stops of two symbols that bear the same order id are both put back', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    const symbols = ['AAPL', 'MSFT'] as const;
    venue.seed(symbols.map((symbol) => ({ symbol, quantity: 10 })));
    const strategy = venue.broker('strategy');
    const stop = { positionSide: 'net', side: 'sell', type: 'stop', quantity: 10, reduceOnly: true, stopPrice: 10 } as const;
    for (const symbol of symbols) void strategy.submit({ ...stop, clientOrderId: `stop-${symbol}`, symbol });
    await clock.advance(100);
    const numbers = new Map<string, string>();
    const numberOf = ({ symbol, orderId }: WorkingOrder): string => {
      const others = [...numbers.keys()].filter((key) => key.startsWith(`${symbol}/`)).length;
      const number = numbers.get(`${symbol}/${orderId}`) ?? String(others + 1);
      numbers.set(`${symbol}/${orderId}`, number);
      return number;
    };
    let closes = 0;
    scene.worker({
      wrapBroker: (broker) => ({
        ...broker,
        openOrders: async (signal) => (await broker.openOrders(signal)).map((order) => ({ ...order, orderId: numberOf(order) })),
        cancel: (order, signal) => {
          const found = [...numbers].find(([key, number]) => key.startsWith(`${order.symbol}/`) && number === order.orderId);
          return broker.cancel({ ...order, orderId: found?.[0].split('/')[1] ?? '' }, signal);
        },
        submit: async (order, signal) => {
          if (order.type !== 'market') return broker.submit(order, signal);
          closes++;
          throw new BrokerRejectedError('other', 'not now');
        },
      }),
    });
    await clock.advance(300);
    await scene.panic();
    await scene.until(() => closes === 2, 5_000, 'both refusals');
    await clock.advance(20);
    expect(venue.openOrders()).toBe(2);
  });

  it('S6: a verdict on more positions than one record can name is recorded all the same', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.set({ defaultMinQuantity: 0.5 });
    venue.seed(Array.from({ length: 2_000 }, (_, index) => ({ symbol: `DUST${index}`, quantity: 0.1 })));
    scene.worker();
    await clock.advance(300);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length > 0, 15_000, 'the verdict');
    const [completion] = await scene.completions();
    expect(completion).toMatchObject({ verdict: 'dust', positionsTotal: 2_000 });
    expect(completion?.residue.at(-1)?.why).toMatch(/^\(and 19\d\d more\)$/);
  });

  it('S6: open orders that are no list end neither the process nor the exit', async () => {
    scene = createExitScene();
    const { venue, clock } = scene;
    await scene.arm();
    venue.seed([{ symbol: 'AAPL', quantity: 10 }]);
    let answers: 'well' | 'strangely' = 'well';
    const strange: unknown = null;
    const hurt = (broker: Broker): Broker =>
      new Proxy(broker, {
        get(target, name) {
          if (name === 'openOrders' && answers === 'strangely') return async () => strange;
          const value: unknown = Reflect.get(target, name, target);
          return value;
        },
      });
    scene.worker({ wrapBroker: hurt });
    await scene.holder({ event: 'attested' });
    await clock.advance(300);
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    answers = 'strangely';
    await scene.panic();
    await clock.advance(1_000);
    answers = 'well';
    await scene.until(() => venue.positions().size === 0, 5_000, 'the empty book');
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
