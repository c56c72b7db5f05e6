/** What every adapter of the broker port must do: each adapter's test hands in a venue that it can steer. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker, BrokerRejectedError, OrderRequest } from '../../src/broker/broker.js';
import { FailflatError } from '../../src/errors.js';

/** A venue under test. An absent lever means that this venue cannot be brought into that state: its tests are skipped by name. */
export interface BrokerBench {
  readonly broker: Broker;
  readonly symbol: string;
  /** An order of this size is taken at once. */
  readonly quantity: number;
  /** A buy limit far below the market, which rests. */
  readonly restingPrice: number;
  readonly account: string;
  readonly environment: string;
  readonly closeVenue: () => Promise<void>;
  readonly levers: {
    readonly failReads?: () => Promise<void>;
    readonly rejectNext?: (reason: BrokerRejectedError['reason']) => Promise<void>;
    /** The next order takes effect, its answer never comes. */
    readonly dropNextAnswer?: () => Promise<void>;
    readonly hang?: () => Promise<void>;
    readonly minQuantity?: (quantity: number) => Promise<void>;
  };
}

export type LeverName = keyof BrokerBench['levers'];

export function brokerConformance(name: string, create: () => Promise<BrokerBench>, has: (lever: LeverName) => boolean): void {
  describe(`${name} as a broker`, () => {
    let bench: BrokerBench;
    let broker: Broker;
    let ids = 0;

    beforeEach(async () => {
      bench = await create();
      broker = bench.broker;
    });
    afterEach(async () => {
      await broker.close();
      await bench.closeVenue();
    });

    const order = (changes: Partial<OrderRequest> = {}): OrderRequest => ({
      clientOrderId: `conformance-${++ids}`,
      symbol: bench.symbol,
      positionSide: 'net',
      side: 'buy',
      type: 'market',
      quantity: bench.quantity,
      reduceOnly: false,
      ...changes,
    });
    const pull = async (lever: (() => Promise<void>) | undefined) => {
      if (lever === undefined) throw new Error('this lever is declared but absent');
      await lever();
    };

    it('says who and where it is', async () => {
      expect(await broker.identity()).toEqual({ account: bench.account, environment: bench.environment });
    });

    it('opens, shows and closes a position, and shows no empty one', async () => {
      expect(await broker.positions()).toEqual([]);
      expect(await broker.submit(order())).toMatchObject({ status: 'filled', filledQuantity: bench.quantity });
      expect(await broker.positions()).toMatchObject([{ symbol: bench.symbol, positionSide: 'net', quantity: bench.quantity }]);
      await broker.submit(order({ side: 'sell', reduceOnly: (await broker.capabilities()).reduceOnly === 'enforced' }));
      expect(await broker.positions()).toEqual([]);
    });

    it('short positions are below zero', async () => {
      await broker.submit(order({ side: 'sell' }));
      expect(await broker.positions()).toMatchObject([{ quantity: -bench.quantity }]);
    });

    it('shows working orders whole, and cancels them once', async () => {
      const resting = order({ type: 'limit', limitPrice: bench.restingPrice });
      const report = await broker.submit(resting);
      expect(report).toMatchObject({ status: 'working', filledQuantity: 0 });
      expect(await broker.openOrders()).toEqual([{ ...resting, orderId: report.orderId, filledQuantity: 0 }]);
      expect(await broker.cancel({ orderId: report.orderId, symbol: bench.symbol })).toBe('canceled');
      expect(await broker.openOrders()).toEqual([]);
      expect(await broker.cancel({ orderId: report.orderId, symbol: bench.symbol })).toBe('already_terminal');
    });

    it('trap 35: a cancel of a filled order is already_terminal, of an unknown one not_found', async () => {
      const report = await broker.submit(order());
      expect(await broker.cancel({ orderId: report.orderId, symbol: bench.symbol })).toBe('already_terminal');
      expect(await broker.cancel({ orderId: 'no-such-order', symbol: bench.symbol })).toBe('not_found');
    });

    it('finds an order by its client id, and says so when there is none', async () => {
      const sent = order();
      await broker.submit(sent);
      expect(await broker.orderByClientId(bench.symbol, sent.clientOrderId)).toMatchObject({ found: true, report: { status: 'filled' } });
      expect(await broker.orderByClientId(bench.symbol, 'no-such-id')).toEqual({ found: false });
    });

    it('S4: a second order under the same client id is rejected as such', async () => {
      const sent = order();
      await broker.submit(sent);
      await expect(broker.submit(sent)).rejects.toMatchObject({ code: 'broker_rejected', reason: 'duplicate_client_order_id' });
      expect(await broker.positions()).toMatchObject([{ quantity: bench.quantity }]);
    });

    it('S4: an enforced reduce-only order without a position is rejected as such', async () => {
      if ((await broker.capabilities()).reduceOnly !== 'enforced') return;
      await expect(broker.submit(order({ side: 'sell', reduceOnly: true }))).rejects.toMatchObject({ reason: 'reduce_only' });
    });

    it.skipIf(!has('failReads'))('S5: a failed read throws, it is never an empty answer', async () => {
      await pull(bench.levers.failReads);
      await expect(broker.positions()).rejects.toMatchObject({ code: 'broker_unavailable' });
      await expect(broker.openOrders()).rejects.toMatchObject({ code: 'broker_unavailable' });
    });

    it.skipIf(!has('rejectNext'))('a rejection carries its reason', async () => {
      for (const reason of ['market_closed', 'too_small', 'other'] as const) {
        await bench.levers.rejectNext?.(reason);
        await expect(broker.submit(order())).rejects.toMatchObject({ code: 'broker_rejected', reason });
      }
      expect(await broker.positions()).toEqual([]);
    });

    it.skipIf(!has('dropNextAnswer'))('trap 36: an order without an answer is of unknown fate, and its id resolves it', async () => {
      await pull(bench.levers.dropNextAnswer);
      const sent = order();
      await expect(broker.submit(sent)).rejects.toMatchObject({ code: 'broker_unavailable' });
      expect(await broker.orderByClientId(bench.symbol, sent.clientOrderId)).toMatchObject({ found: true, report: { status: 'filled' } });
    });

    it.skipIf(!has('hang'))('a venue that answers nothing ends every call as unavailable', async () => {
      await pull(bench.levers.hang);
      const calls = [
        broker.identity(),
        broker.capabilities(),
        broker.positions(),
        broker.openOrders(),
        broker.submit(order()),
        broker.cancel({ orderId: 'o1', symbol: bench.symbol }),
        broker.orderByClientId(bench.symbol, 'x'),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'broker_unavailable' } });
      }
    });

    it.skipIf(!has('minQuantity'))('trap 38: says the smallest quantity, and rejects less as too_small', async () => {
      await bench.levers.minQuantity?.(bench.quantity);
      expect((await broker.capabilities()).minQuantity(bench.symbol)).toBe(bench.quantity);
      await expect(broker.submit(order({ quantity: bench.quantity / 2 }))).rejects.toMatchObject({ reason: 'too_small' });
    });

    it('an aborted call ends at once, of unknown fate or surely not sent', async () => {
      const abort = new AbortController();
      const submitted = broker.submit(order(), abort.signal);
      abort.abort();
      await expect(submitted).rejects.toMatchObject({ code: 'broker_unavailable' });
      await expect(broker.submit(order(), abort.signal)).rejects.toThrow(FailflatError);
    });
  });
}
