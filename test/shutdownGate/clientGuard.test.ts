import { describe, expect, expectTypeOf, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.js';
import { guardClient } from '../../src/shutdownGate/clientGuard.js';
import { OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import type { GuardedSubmit } from '../../src/shutdownGate/guard.js';
import { switchable } from './support.js';

interface Order {
  readonly id: string;
}

class Exchange {
  readonly name = 'exchange';
  readonly calls: string[] = [];
  readonly #secret = 'key';
  readonly markets = new Map([['AAPL', 1]]);
  readonly limits = { perSecond: 10 };
  readonly orders = {
    create: async (order: Order) => this.#called(`orders.create ${order.id}`),
    list: async () => ['a'],
    purge: () => this.#called('orders.purge'),
    getExchange: () => this,
  };

  async createOrder(order: Order): Promise<string> {
    return this.#called(`createOrder ${order.id}`);
  }

  async cancelOrder(id: string): Promise<string> {
    return this.#called(`cancelOrder ${id}`);
  }

  async withdraw(): Promise<string> {
    return this.#called('withdraw');
  }

  async fetchBalance(): Promise<string> {
    return `balance with ${this.#secret}`;
  }

  async getOrCreateOrder(): Promise<string> {
    return this.#called('getOrCreateOrder');
  }

  async get_or_create_order(): Promise<string> {
    return this.#called('get_or_create_order');
  }

  async fetch(): Promise<string> {
    return this.#called('fetch');
  }

  async loadClient(): Promise<this> {
    return this;
  }

  getOrders(): Exchange['orders'] {
    return this.orders;
  }

  sign(): string {
    return `signed with ${this.#secret}`;
  }

  on(_event: string): this {
    return this;
  }

  #called(what: string): string {
    this.calls.push(what);
    return what;
  }
}

function guarded() {
  const exchange = new Exchange();
  const gate = createShutdownGate();
  const killSwitch = switchable('killSwitch');
  const client = guardClient(
    exchange,
    { createOrder: 'increase', cancelOrder: 'cancel', sign: 'read', 'orders.create': { intent: 'increase', label: () => 'mine' } },
    { gate, killSwitch },
  );
  return { exchange, gate, killSwitch, client };
}

describe('guarded client', () => {
  it('S1 S10: listed methods pass the door, each as what it does', async () => {
    const { exchange, gate, killSwitch, client } = guarded();
    expect(await client.createOrder({ id: '1' })).toBe('createOrder 1');
    killSwitch.code = 'kill_switch_enabled';
    await expect(client.createOrder({ id: '2' })).rejects.toMatchObject({ code: 'kill_switch_enabled' });
    expect(client.createOrder.trySubmit({ id: '3' })).toMatchObject({ ok: false, code: 'kill_switch_enabled' });
    await expect(client.orders.create({ id: '4' })).rejects.toMatchObject({ code: 'kill_switch_enabled' });
    expect(await client.cancelOrder('1')).toBe('cancelOrder 1');
    gate.requestShutdown('stop');
    await expect(client.cancelOrder('1')).rejects.toMatchObject({ code: 'shutdown_requested' });
    expect(exchange.calls).toEqual(['createOrder 1', 'cancelOrder 1']);
  });

  it('S3: a method that nobody listed is refused in every state, unless its name is that of a question', async () => {
    const { exchange, client, gate } = guarded();
    for (const call of [client.withdraw, client.getOrCreateOrder, client.get_or_create_order, client.fetch, client.orders.purge]) {
      expect(call).toThrow(OrderRefusedError);
      expect(call).toThrow('is not listed');
    }
    expect(await client.fetchBalance()).toBe('balance with key');
    expect(await client.orders.list()).toEqual(['a']);
    expect([client.sign(), client.name, client.limits.perSecond, client.markets.get('AAPL')]).toEqual([
      'signed with key',
      'exchange',
      10,
      1,
    ]);
    expect(() => client.on('order').withdraw()).toThrow('withdraw is not listed');
    expect([exchange.calls, gate.inflight()]).toEqual([[], 0]);
  });

  it('S3: no way around: descriptors, spread, the prototype and a frozen client', async () => {
    const { exchange, client } = guarded();
    const own = Object.getOwnPropertyDescriptor({ ...client }.orders, 'purge')?.value as () => unknown;
    expect(own).toThrow('orders.purge is not listed');
    expect(client instanceof Exchange).toBe(true);
    expect('withdraw' in client).toBe(true);
    await expect(Reflect.apply(Exchange.prototype.withdraw, client, [])).rejects.toThrow();
    expect(exchange.calls).toEqual([]);
    const frozen = Object.freeze({ createOrder: async (order: Order) => order.id, drop: () => 'dropped' });
    const face = guardClient(frozen, { createOrder: 'increase' }, { gate: createShutdownGate() });
    expect(face.drop).toThrow('drop is not listed');
    expect(Object.keys(face)).toEqual(['createOrder', 'drop']);
  });

  it('S3: a question that answers the client or a part of it, at once or later, hands out the guarded one', async () => {
    const { exchange, client } = guarded();
    const handedOut = [client.orders.getExchange(), await client.loadClient(), await client.orders.getExchange().loadClient()];
    for (const face of handedOut) {
      expect(() => face.withdraw()).toThrow('withdraw is not listed');
      expect(face).toBe(client);
    }
    expect(() => client.getOrders().purge()).toThrow('orders.purge is not listed');
    expect(client.getOrders()).toBe(client.orders);
    expect(() => guarded().client.getOrders().purge()).toThrow('orders.purge is not listed');
    expect(exchange.calls).toEqual([]);
  });

  it('parts that refer to each other, and values of the language, do no harm', () => {
    interface Node {
      name: string;
      next?: Node;
    }
    const first: Node = { name: 'a' };
    first.next = { name: 'b', next: first };
    const client = guardClient({ first, at: new Date(0), list: [1], send: () => 1 }, { send: 'increase' }, { gate: createShutdownGate() });
    expect([client.first.next?.next, client.at.getTime(), client.list.length]).toEqual([first, 0, 1]);
  });

  it.each<[string, unknown, Record<string, unknown>, object]>([
    ['client', undefined, {}, {}],
    ['methods.createOrdr', new Exchange(), { createOrdr: 'increase' }, {}],
    ['methods.name', new Exchange(), { name: 'increase' }, {}],
    ['methods.createOrder', new Exchange(), { createOrder: 'buy' }, {}],
    ['methods.orders.creat', new Exchange(), { 'orders.creat': 'increase' }, {}],
    ['killswitch', new Exchange(), {}, { killswitch: {} }],
    ['intent', new Exchange(), { createOrder: { intent: 'buy' } }, {}],
  ])('S3: %s that cannot hold is refused by name', (field, client, methods, options) => {
    const build = (): unknown => Reflect.apply(guardClient, undefined, [client, methods, options]);
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(expect.objectContaining({ field }));
  });

  it('its guarded methods are what a guarded order path demands', () => {
    const { client } = guarded();
    expectTypeOf(client.createOrder).toEqualTypeOf<GuardedSubmit<(order: Order) => Promise<string>>>();
    expectTypeOf(client.sign).toEqualTypeOf<() => string>();
    // @ts-expect-error no such method
    const misspelt = (): unknown => guardClient(new Exchange(), { createOrdr: 'increase' });
    expect(misspelt).toThrow(ConfigurationError);
  });
});
