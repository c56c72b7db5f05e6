import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { judgeProof, type ReduceProof, ReductionBook } from '../../src/shutdownGate/reductions.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { FC_SEED, openCall, refusalOf, settled } from './support.js';

const LONG: ReduceProof = { account: 'main', symbol: 'AAPL', side: 'sell', quantity: 4, position: 10, positionAgeMs: 0 };

function halted() {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const calls: ReturnType<typeof openCall<string>>[] = [];
  const reduce = guardOrderSubmission(
    (_proof: ReduceProof) => {
      const call = openCall<string>();
      calls.push(call);
      return call.promise;
    },
    {
      gate,
      intent: 'reduce',
      verifyReduce: (proof) => proof,
      killSwitch: { name: 'state', check: (_nowMs, intent) => (intent === 'increase' ? refusalOf('trading_halted') : undefined) },
    },
  );
  return { clock, gate, calls, reduce };
}

describe('verified reductions', () => {
  it.each<[string, unknown, number]>([
    ['absent', undefined, 0],
    ['incomplete', { side: 'sell', quantity: 1, position: 1, positionAgeMs: 0 }, 0],
    ['not a number', { ...LONG, position: Number.NaN }, 0],
    ['without end', { ...LONG, quantity: Number.POSITIVE_INFINITY }, 0],
    ['too old', { ...LONG, positionAgeMs: 1_001 }, 0],
    ['from the future', { ...LONG, positionAgeMs: -1 }, 0],
    ['from flat', { ...LONG, position: 0 }, 0],
    ['a sell of a short', { ...LONG, position: -10 }, 0],
    ['a buy of a long', { ...LONG, side: 'buy' }, 0],
    ['larger than the position', { ...LONG, quantity: 10.01 }, 10],
    ['of nothing', { ...LONG, quantity: 0 }, 10],
    ['negative', { ...LONG, quantity: -4 }, 10],
  ])('S10: a proof that is %s is refused not_reducing, with what would be allowed', (_what, proof, maxQuantity) => {
    const { reduce, calls } = halted();
    expect(reduce.trySubmit(proof as ReduceProof)).toMatchObject({ ok: false, code: 'not_reducing', maxQuantity });
    expect(calls).toEqual([]);
  });

  it('S10: without verifyReduce, or when it throws, a reduction is refused', () => {
    const gate = createShutdownGate();
    const fail = (): never => {
      throw new Error('cache');
    };
    for (const options of [{}, { verifyReduce: fail }]) {
      const admission = guardOrderSubmission(() => 1, { gate, intent: 'reduce', ...options }).trySubmit();
      expect(admission).toMatchObject({ ok: false, code: 'not_reducing', maxQuantity: 0 });
    }
  });

  it('S10: reductions in flight, timed out or unknown count against the position of their symbol and account', async () => {
    const { reduce, calls, clock } = halted();
    expect(reduce.trySubmit({ ...LONG, quantity: 6 }).ok).toBe(true);
    expect(reduce.trySubmit({ ...LONG, quantity: 5 })).toMatchObject({ code: 'not_reducing', maxQuantity: 4 });
    expect(reduce.trySubmit({ ...LONG, symbol: 'MSFT', quantity: 10 }).ok).toBe(true);
    expect(reduce.trySubmit({ ...LONG, account: 'other', quantity: 10 }).ok).toBe(true);
    calls[0]?.reject(new Error('timeout'));
    await clock.advance(60_000);
    expect(reduce.trySubmit({ ...LONG, quantity: 5 })).toMatchObject({ code: 'not_reducing', maxQuantity: 4 });
    expect(reduce.trySubmit({ ...LONG, quantity: 4 }).ok).toBe(true);
  });

  it('S10: an acknowledged reduction counts until a position read after it is shown; a refused one no longer counts', async () => {
    const { reduce, calls, clock } = halted();
    reduce.trySubmit({ ...LONG, quantity: 10 });
    await clock.advance(50);
    calls[0]?.resolve('filled');
    await clock.advance(50);
    expect(reduce.trySubmit({ ...LONG, quantity: 10, positionAgeMs: 60 })).toMatchObject({ code: 'not_reducing', maxQuantity: 0 });
    expect(reduce.trySubmit({ ...LONG, quantity: 3, position: 3, positionAgeMs: 10 }).ok).toBe(true);
  });

  it('S10: an unknown reduction counts until it is resolved', async () => {
    const { reduce, calls, clock, gate } = halted();
    const admission = reduce.trySubmit({ ...LONG, quantity: 10 });
    if (!admission.ok) throw new Error('refused');
    calls[0]?.reject(new Error('socket'));
    await clock.advance(10);
    expect(reduce.trySubmit(LONG).ok).toBe(false);
    gate.resolve(admission.entryId, 'refused', { by: 'ops' });
    expect(reduce.trySubmit(LONG).ok).toBe(true);
  });

  it('S10: two guards of one gate share the position', () => {
    const { reduce, gate } = halted();
    const second = guardOrderSubmission((proof: ReduceProof) => openCall().promise.then(() => proof), {
      gate,
      intent: 'reduce',
      verifyReduce: (proof) => proof,
    });
    reduce.trySubmit({ ...LONG, quantity: 10 });
    expect(second.trySubmit(LONG)).toMatchObject({ code: 'not_reducing', maxQuantity: 0 });
  });

  it('decimal fractions that add up to the position close it whole', () => {
    expect(judgeProof({ ...LONG, position: 0.3, quantity: 0.2 }, 0.1, 1_000).holds).toBe(true);
    expect(judgeProof({ ...LONG, position: 0.3, quantity: 0.1 }, 0.1 + 0.2, 1_000)).toMatchObject({ holds: false });
  });

  it('S10: whatever fills late, fails or is resolved, verified reductions never flip the position, and a fresh full close passes when nothing is pending', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('look' as const) }),
      fc.record({ do: fc.constant('reduce' as const), quantity: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ do: fc.constant('fill' as const), pick: fc.nat(20) }),
      fc.record({ do: fc.constant('end' as const), pick: fc.nat(20), how: fc.constantFrom('ack', 'reject', 'lose') }),
      fc.record({ do: fc.constant('resolve' as const), pick: fc.nat(20) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 700 }) }),
    );
    let admitted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.boolean(), fc.array(step, { maxLength: 40 }), async (start, short, steps) => {
        const { reduce, calls, clock, gate } = halted();
        const sign = short ? -1 : 1;
        // The venue's own truth: an order may fill at any moment until it is known never to have arrived.
        const orders: { quantity: number; entryId: number; filled: boolean; over: boolean; lost: boolean }[] = [];
        let left = start;
        let seen = { position: start, atMs: clock.monotonicMs() };
        const fill = (order: (typeof orders)[number]): void => {
          if (!order.filled) left -= order.quantity;
          order.filled = true;
        };
        const proofOf = (quantity: number): ReduceProof => {
          const side = short ? 'buy' : 'sell';
          return {
            account: 'a',
            symbol: 's',
            side,
            quantity,
            position: sign * seen.position,
            positionAgeMs: clock.monotonicMs() - seen.atMs,
          };
        };
        const send = (quantity: number): boolean => {
          const admission = reduce.trySubmit(proofOf(quantity));
          if (admission.ok) orders.push({ quantity, entryId: admission.entryId, filled: false, over: false, lost: false });
          if (admission.ok) admitted += 1;
          else refused += 1;
          return admission.ok;
        };
        for (const action of steps) {
          const index = 'pick' in action && orders.length > 0 ? action.pick % orders.length : -1;
          const order = orders[index];
          if (action.do === 'look') seen = { position: left, atMs: clock.monotonicMs() };
          if (action.do === 'reduce') send(action.quantity);
          if (action.do === 'wait') await clock.advance(action.ms);
          if (action.do === 'fill' && order !== undefined && !order.over) fill(order);
          if (action.do === 'end' && order !== undefined && !order.over && !order.lost) {
            if (action.how === 'ack') fill(order);
            if (action.how === 'reject' && !order.filled) calls[index]?.reject(new BrokerRejectedError('other', 'no'));
            else if (action.how === 'ack') calls[index]?.resolve('filled');
            else calls[index]?.reject(new Error('lost'));
            order.lost = action.how === 'lose' || (action.how === 'reject' && order.filled);
            order.over = !order.lost;
            await settled();
          }
          if (action.do === 'resolve' && order?.lost === true && !order.over) {
            order.over = gate.resolve(order.entryId, order.filled ? 'acknowledged' : 'refused', { by: 'ops' }) === 'resolved';
          }
          // Even if everything that may still arrive filled now, the position must not change its sign.
          const pending = orders.filter(({ over, filled }) => !over && !filled).reduce((sum, { quantity }) => sum + quantity, 0);
          expect(left - pending).toBeGreaterThanOrEqual(0);
        }
        if (orders.every(({ over }) => over) && left > 0) {
          await clock.advance(1);
          seen = { position: left, atMs: clock.monotonicMs() };
          expect(send(left + 1)).toBe(false);
          expect(send(left)).toBe(true);
        }
      }),
      { seed: FC_SEED, numRuns: 300 },
    );
    expect(Math.min(admitted, refused)).toBeGreaterThan(100);
  });
});

describe('a proof that is alive', () => {
  it('S10: is read once: what it says later neither lets more through nor is booked', () => {
    const { reduce } = halted();
    const reads: string[] = [];
    const live = new Proxy(LONG, {
      get: (proof, name): unknown => {
        reads.push(String(name));
        const reading = reads.filter((read) => read === name).length;
        if (name === 'quantity') return reading === 1 ? 10 : 0.001;
        const first: unknown = Reflect.get(proof, name);
        return reading === 1 ? first : undefined;
      },
    });
    expect(reduce.trySubmit(live).ok).toBe(true);
    expect(new Set(reads).size).toBe(reads.length);
    expect(reduce.trySubmit({ ...LONG, quantity: 1 })).toMatchObject({ ok: false, code: 'not_reducing', maxQuantity: 0 });
  });
});

describe('the book of reductions', () => {
  it('keeps no position whose reductions are over, however many there were', () => {
    const book = new ReductionBook();
    book.keepFor(1_000);
    let most = 0;
    for (let number = 0; number < 20_000; number += 1) {
      const reduction = book.add({ ...LONG, symbol: `S${number}` }, number, number * 10);
      reduction.outcome = 'acknowledged';
      reduction.acknowledgedMs = number * 10;
      most = Math.max(most, book.positions);
    }
    expect(most).toBeLessThanOrEqual(1_024);
  });

  it('S10: forgets none that is still in flight or of unknown outcome', () => {
    const book = new ReductionBook();
    book.keepFor(1_000);
    for (let number = 0; number < 5_000; number += 1) {
      const reduction = book.add({ ...LONG, symbol: `S${number}` }, number, number * 10);
      if (number % 2 === 0) reduction.outcome = 'unknown';
    }
    expect(book.positions).toBe(5_000);
    expect(book.verify({ ...LONG, symbol: 'S0', quantity: 7 }, 60_000, 1_000)).toMatchObject({ holds: false, refusal: { maxQuantity: 6 } });
  });
});
