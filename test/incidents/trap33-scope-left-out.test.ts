/** What is said of an account holds for all of it, and of no other. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Broker, BrokerUnavailableError } from '../../src/broker/broker.js';
import { EVERY_SCENE, type PlacedScene } from '../support/exitScene.js';

const RESTING = {
  symbol: 'MSFT',
  positionSide: 'net',
  side: 'buy',
  type: 'limit',
  quantity: 5,
  limitPrice: 50,
  reduceOnly: false,
} as const;

describe.each(EVERY_SCENE)('trap 33: resting limit orders, manual positions, several accounts: on %s', (_name, create) => {
  let scene: PlacedScene;
  afterEach(() => scene.end());

  const left = (account: string) => ({ positions: scene.venue.positions(account).size, orders: scene.venue.openOrders(account) });

  async function begin(accounts: readonly string[]) {
    scene = await create(accounts);
    await scene.arm(accounts);
    for (const account of accounts) {
      scene.venue.seed([{ symbol: 'AAPL', quantity: 10 }], account);
      await scene.venue.broker('strategy', { account }).submit({ ...RESTING, clientOrderId: 'resting' });
    }
  }

  /** What was left of each account in the moment in which its completion was there. */
  async function leftAtCompletion(count: number, forMs: number) {
    const found = new Map<string, { readonly verdict: string; readonly positions: number; readonly orders: number }>();
    await scene.until(
      async () => {
        for (const { account, verdict } of await scene.completions()) {
          if (!found.has(account)) found.set(account, { verdict, ...left(account) });
        }
        return found.size === count;
      },
      forMs,
      `a completion of each of ${count} accounts`,
    );
    return Object.fromEntries(found);
  }

  it('trap 33: S5: flat waits for what a person has opened by hand and for orders that cannot be cancelled yet', async () => {
    await begin(['default']);
    scene.venue.seed([{ symbol: 'BY-HAND', quantity: -2 }]);
    await scene.venue.broker('person').submit({ ...RESTING, clientOrderId: 'by-hand', symbol: 'OTHER' });
    let cancels = false;
    const withoutCancels = (broker: Broker): Broker => ({
      ...broker,
      cancel: (order, signal) => (cancels ? broker.cancel(order, signal) : Promise.reject(new BrokerUnavailableError('busy'))),
    });
    await scene.worker({ wrapBroker: withoutCancels });
    await scene.pass(500);
    await scene.panic();
    await scene.until(() => left('default').positions === 0, 8_000, 'a book without positions');
    await scene.pass(8_000);
    expect(left('default')).toEqual({ positions: 0, orders: 2 });
    expect(await scene.completions(), 'said over resting orders').toEqual([]);
    cancels = true;
    expect(await leftAtCompletion(1, 12_000)).toEqual({ default: { verdict: 'flat', positions: 0, orders: 0 } });
  });

  it('trap 33: S6: a panic without scope is for every armed account, and each is flat when that is said of it', async () => {
    await begin(['default', 'second', 'third']);
    for (const account of ['default', 'second', 'third']) await scene.worker({ account });
    await scene.pass(500);
    await scene.panic();
    const flat = { verdict: 'flat', positions: 0, orders: 0 };
    expect(await leftAtCompletion(3, 12_000)).toEqual({ default: flat, second: flat, third: flat });
  });

  it('trap 33: S6: an account whose worker is away keeps its panic, and nobody else speaks for it', { timeout: 40_000 }, async () => {
    await begin(['default', 'second']);
    await scene.worker();
    await scene.pass(500);
    await scene.panic();
    await scene.until(async () => (await scene.completions()).length === 1, 12_000);
    await scene.pass(20_000);
    expect((await scene.completions()).map(({ account }) => account)).toEqual(['default']);
    expect(left('second')).toEqual({ positions: 1, orders: 1 });
    await scene.worker({ account: 'second' });
    const flat = { verdict: 'flat', positions: 0, orders: 0 };
    expect(await leftAtCompletion(2, 12_000)).toMatchObject({ second: flat });
  });
});
