/** These lines are checked by the compiler; running them only shows that the shapes exist. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ExitPermit } from '../../src/index.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { type Admission, type GuardedSubmit, guardOrderSubmission } from '../../src/shutdownGate/guard.js';

interface Order {
  readonly clientOrderId: string;
}

const gate = createShutdownGate();

describe('types of the guard', () => {
  it('keeps optional, rest and no parameters', () => {
    const optional = guardOrderSubmission(async (_order: Order, _retries?: number) => 'ok', {
      gate,
      label: (order, retries) => `${order.clientOrderId} ${retries?.toFixed()}`,
    });
    expectTypeOf(optional).parameters.toEqualTypeOf<[Order, (number | undefined)?]>();
    expectTypeOf(optional).returns.toEqualTypeOf<Promise<string>>();
    const rest = guardOrderSubmission((..._orders: Order[]) => 1, { gate });
    expectTypeOf(rest).parameters.toEqualTypeOf<Order[]>();
    const none = guardOrderSubmission(() => 1, { gate });
    expectTypeOf(none).parameters.toEqualTypeOf<[]>();
    // @ts-expect-error a wrong parameter does not compile
    void optional('order').catch(() => undefined);
  });

  it('awaits what the function returns: synchronous, promised, thenable and union results', () => {
    expectTypeOf(guardOrderSubmission((_order: Order) => 1, { gate })).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(guardOrderSubmission((_order: Order): string | Promise<number> => 'a', { gate })).returns.toEqualTypeOf<
      Promise<string | number>
    >();
    expectTypeOf(guardOrderSubmission((_order: Order): void => undefined, { gate })).returns.toEqualTypeOf<Promise<void>>();
    const nested = guardOrderSubmission((_order: Order | Order[]): PromiseLike<number> => Promise.resolve(1), {
      gate,
    });
    expectTypeOf(nested).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(nested).parameters.toEqualTypeOf<[Order | Order[]]>();
    expectTypeOf(nested.trySubmit).returns.toEqualTypeOf<Admission<number>>();
  });

  it('takes the last signature of an overloaded function', () => {
    function send(order: Order): Promise<string>;
    function send(order: Order, urgent: boolean): Promise<number>;
    function send(_order: Order, urgent?: boolean): Promise<string | number> {
      return Promise.resolve(urgent ? 1 : 'a');
    }
    expectTypeOf(guardOrderSubmission(send, { gate })).parameters.toEqualTypeOf<[Order, boolean]>();
  });

  it('an order path that demands a guarded function does not take an unguarded one', () => {
    const path = (submit: GuardedSubmit<(order: Order) => Promise<string>>): unknown => submit['failflat.guarded'];
    const send = async (order: Order): Promise<string> => order.clientOrderId;
    expect(path(guardOrderSubmission(send, { gate }))).toBe(true);
    // @ts-expect-error the brand is missing
    path(send);
    // The brand is a string key: the type of another installed copy has the same shape.
    interface FromAnotherCopy {
      (order: Order): Promise<string>;
      trySubmit(order: Order): Admission<string>;
      under(exitPermit: ExitPermit): GuardedSubmit<(order: Order) => Promise<string>>;
      readonly 'failflat.guarded': true;
    }
    expectTypeOf<FromAnotherCopy>().toExtend<GuardedSubmit<(order: Order) => Promise<string>>>();
    expectTypeOf<GuardedSubmit<(order: Order) => Promise<string>>>().toExtend<FromAnotherCopy>();
  });

  it('the options know the parameters, and only known words and permissions pass', () => {
    const build = (): unknown => [
      guardOrderSubmission((order: Order) => order, { label: (order) => order.clientOrderId }),
      // @ts-expect-error no such intent
      guardOrderSubmission((order: Order) => order, { intent: 'sell' }),
      // @ts-expect-error an asynchronous check is not a permission
      guardOrderSubmission((order: Order) => order, { lease: { name: 'lease', check: async () => undefined } }),
      // @ts-expect-error the proof is synchronous
      guardOrderSubmission((order: Order) => order, { verifyReduce: async () => undefined }),
    ];
    expect(typeof build).toBe('function');
  });
});
