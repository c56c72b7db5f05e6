import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import type { Permission } from '../../src/permission.js';
import { OrderOutcomeUnknownError, OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { GuardEvent, GuardOptions } from '../../src/shutdownGate/options.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall, refusalOf, settled, switchable } from './support.js';

function rig(options: GuardOptions<[string]> = {}) {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const calls: { order: string; call: ReturnType<typeof openCall<string>> }[] = [];
  const events: GuardEvent[] = [];
  const submit = guardOrderSubmission(
    (order: string) => {
      const call = openCall<string>();
      calls.push({ order, call });
      return call.promise;
    },
    { gate, label: (order) => order, observe: (event) => void events.push(event), ...options },
  );
  const at = (index: number) => {
    const found = calls[index];
    if (found === undefined) throw new Error(`no call ${index}`);
    return found.call;
  };
  return { clock, gate, calls, events, submit, at };
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}

describe('guardOrderSubmission', () => {
  it('S1: calls the function in the same synchronous step as the check', () => {
    const { submit, calls, gate } = rig();
    void submit('a');
    expect(calls.map(({ order }) => order)).toEqual(['a']);
    submit.trySubmit('b');
    expect([calls.length, gate.inflight()]).toEqual([2, 2]);
  });

  it('S1: a function of the caller that shuts the gate on its way in refuses its own order', () => {
    for (const where of ['intent', 'label', 'verifyReduce', 'permission'] as const) {
      const shut = (): void => gate.requestShutdown(where);
      const permission: Permission = { name: 'p', check: () => (where === 'permission' ? shut() : undefined) as undefined };
      const { gate, submit, calls } = rig({
        permissions: [permission],
        intent: () => {
          if (where === 'intent') shut();
          return 'reduce';
        },
        label: (order) => {
          if (where === 'label') shut();
          return order;
        },
        verifyReduce: () => {
          if (where === 'verifyReduce') shut();
          return { account: 'x', symbol: 'y', side: 'sell', quantity: 1, position: 1, positionAgeMs: 0 };
        },
      });
      expect(submit.trySubmit('a')).toMatchObject({ ok: false, code: 'shutdown_requested', reason: where });
      expect(calls).toEqual([]);
    }
  });

  it('S1: an observer of the admission cannot get between check and call', () => {
    const begunAtShutdown: number[] = [];
    const { gate, submit, calls } = rig({
      observe: () => {
        gate.requestShutdown('observer');
        begunAtShutdown.push(calls.length);
      },
    });
    expect(submit.trySubmit('a').ok).toBe(true);
    expect(submit.trySubmit('b').ok).toBe(false);
    expect([calls.length, begunAtShutdown]).toEqual([1, [1, 1]]);
  });

  it('S2: a value, a rejection and a synchronous throw reach the caller as they are', async () => {
    const gate = createShutdownGate();
    const error = new Error('boom');
    const sync = guardOrderSubmission((value: number) => value * 2, { gate });
    expect(await sync(21)).toBe(42);
    const throwing = guardOrderSubmission(
      (): number => {
        throw error;
      },
      { gate },
    );
    expect(await rejectionOf(throwing())).toBe(error);
    expect(gate.unknownOutcomes()).toBe(1);
    const { submit, at } = rig();
    const first = submit('a');
    at(0).reject(error);
    expect(await rejectionOf(first)).toBe(error);
  });

  it('S2: a rejection leaves the outcome unknown unless it says that nothing was sent', async () => {
    const { submit, at, gate, events } = rig();
    const orders = [submit('a'), submit('b'), submit('c')].map(rejectionOf);
    at(0).reject(new Error('socket hang up'));
    at(1).reject(new BrokerRejectedError('too_small', 'min notional'));
    at(2).reject(undefined);
    await Promise.all(orders);
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 2]);
    expect(events.filter(({ type }) => type === 'settled').map((event) => event.type === 'settled' && event.settled.outcome)).toEqual([
      'unknown',
      'refused',
      'unknown',
    ]);
  });

  it.each([
    () => 'acknowledged',
    () => 'maybe',
    () => {
      throw new Error('x');
    },
  ])('S3: an outcomeOf without a clear answer means unknown (%#)', async (outcomeOf) => {
    const { submit, at, gate } = rig({ outcomeOf: outcomeOf as () => 'refused' });
    const order = rejectionOf(submit('a'));
    at(0).reject(new Error('x'));
    await order;
    expect(gate.unknownOutcomes()).toBe(1);
  });

  it('S2: a timeout tells the caller, keeps the slot, and what settles late still reaches caller and observer', async () => {
    const { clock, gate, submit, at, events, calls } = rig({ submissionTimeoutMs: 250 });
    const first = rejectionOf(submit('a'));
    await clock.advance(249);
    expect(gate.inflight()).toBe(1);
    await clock.advance(1);
    const error = await first;
    if (!(error instanceof OrderOutcomeUnknownError)) throw new Error('not told');
    expect(error).toMatchObject({ code: 'order_outcome_unknown', label: 'a', ageMs: 250 });
    const drain = gate.waitForInflightZero({ timeoutMs: 0 });
    expect(await drain).toMatchObject({ drained: false, unfinished: [{ label: 'a', state: 'timed_out', ageMs: 250 }] });
    await clock.advance(5_000);
    expect([gate.inflight(), calls.length]).toEqual([1, 1]);
    at(0).resolve('filled');
    expect(await error.settled).toEqual({ outcome: 'acknowledged', value: 'filled' });
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
    expect(events.map(({ type }) => type)).toEqual(['admitted', 'unknown', 'lateSettled']);
  });

  it('S2: a late rejection reaches `settled` without rejecting it', async () => {
    const { clock, submit, at, gate } = rig({ submissionTimeoutMs: 10 });
    const first = rejectionOf(submit('a'));
    await clock.advance(10);
    const error = await first;
    if (!(error instanceof OrderOutcomeUnknownError)) throw new Error('not told');
    const late = new BrokerRejectedError('other', 'no');
    at(0).reject(late);
    expect(await error.settled).toEqual({ outcome: 'refused', error: late });
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
  });

  it('waits of many orders end one by one, each at its own time', async () => {
    const { clock, submit, at } = rig({ submissionTimeoutMs: 250 });
    const ended: string[] = [];
    for (const order of ['a', 'b', 'c', 'd']) {
      submit(order).then(
        (value) => ended.push(`${order} ${value} ${clock.monotonicMs()}`),
        (error: unknown) =>
          ended.push(`${order} ${error instanceof OrderOutcomeUnknownError ? error.ageMs : 'wrong'} ${clock.monotonicMs()}`),
      );
      await clock.advance(30);
    }
    at(1).resolve('ok');
    await clock.advance(1_000);
    expect(ended).toEqual(['b ok 1000120', 'a 250 1000250', 'c 250 1000310', 'd 250 1000340']);
  });

  it('an observer that submits from inside its event is served', async () => {
    const { clock, submit, calls, gate } = rig({
      submissionTimeoutMs: 10,
      observe: (event) => {
        if (event.type === 'unknown' && calls.length < 3) submit.trySubmit('again');
      },
    });
    submit.trySubmit('a');
    await clock.advance(100);
    expect([calls.length, gate.inflight()]).toEqual([3, 3]);
  });

  it('S13: observers that throw or reject, in every event, change no result', async () => {
    const bad = (event: GuardEvent): void => {
      if (event.type === 'settled') return Promise.reject(new Error('async observer')) as unknown as undefined;
      throw new Error(event.type);
    };
    const { clock, submit, at, gate, calls } = rig({ observe: bad, submissionTimeoutMs: 100 });
    const [first, second, third] = [submit('a'), rejectionOf(submit('b')), submit.trySubmit('c')];
    at(0).resolve('filled');
    expect(await first).toBe('filled');
    await clock.advance(100);
    expect(await second).toBeInstanceOf(OrderOutcomeUnknownError);
    if (third.ok) expect(await rejectionOf(third.outcome)).toBeInstanceOf(OrderOutcomeUnknownError);
    at(1).resolve('late');
    at(2).reject(new Error('late'));
    await settled();
    gate.requestShutdown('x');
    expect(submit.trySubmit('d').ok).toBe(false);
    expect([calls.length, gate.inflight(), gate.unknownOutcomes()]).toEqual([3, 0, 1]);
  });

  it('S13: a label that throws does not stop the order', () => {
    const { submit, calls, gate } = rig({
      label: () => {
        throw new Error('no id');
      },
    });
    expect(submit.trySubmit('a').ok).toBe(true);
    expect([calls.length, gate.inflight()]).toEqual([1, 1]);
  });

  it('the outcome of trySubmit may be attached late: its rejection is not reported as unhandled', async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listener);
    const { submit, at } = rig();
    const admission = submit.trySubmit('a');
    const error = new Error('rejected early');
    at(0).reject(error);
    await settled();
    await settled();
    process.off('unhandledRejection', listener);
    if (!admission.ok) throw new Error('refused');
    expect(await rejectionOf(admission.outcome)).toBe(error);
    expect(unhandled).toEqual([]);
  });

  it('a refusal rejects with its code, source, reason and time', async () => {
    const { submit, calls } = rig({
      killSwitch: { name: 'kill_switch', check: () => ({ ...refusalOf('kill_switch_enabled'), sinceWallMs: 7 }) },
    });
    const error = await rejectionOf(submit('a'));
    expect(error).toBeInstanceOf(OrderRefusedError);
    expect(error).toMatchObject({ code: 'kill_switch_enabled', source: 'test', reason: 'says kill_switch_enabled', sinceWallMs: 7 });
    expect(calls).toEqual([]);
  });

  it('S3: a permission that throws, answers late or answers nonsense refuses increases', () => {
    const answers: (() => unknown)[] = [
      () => {
        throw new Error('redis');
      },
      () => {
        throw Object.create(null);
      },
      () => null,
      () => false,
      () => ({}),
      () => ({ code: 'fine' }),
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error('late')),
    ];
    for (const check of answers) {
      const { submit, calls } = rig({ lease: { name: 'lease', check: check as Permission['check'] } });
      expect(submit.trySubmit('a')).toMatchObject({ ok: false, code: 'trading_halted', source: 'lease' });
      expect(calls).toEqual([]);
    }
  });

  it('S3: an intent that throws or is not known refuses the order', () => {
    for (const intent of [
      () => 'sell',
      () => undefined,
      () => {
        throw new Error('cancel');
      },
    ]) {
      const { submit, calls } = rig({ intent: intent as () => 'cancel' });
      expect(submit.trySubmit('a')).toMatchObject({ ok: false, code: 'trading_halted', source: 'intent' });
      expect(calls).toEqual([]);
    }
  });

  it('S3: trySubmit does not throw even when its clock does', () => {
    const clock = new ManualClock();
    const broken = {
      ...clock,
      monotonicMs: (): number => {
        throw new Error('no clock');
      },
    };
    const { submit, calls } = rig({ clock: broken });
    expect(submit.trySubmit('a')).toMatchObject({ ok: false, code: 'trading_halted', source: 'order_door' });
    expect(calls).toEqual([]);
  });

  it('the clock is read once at the door and passed to every permission', () => {
    const [first, second] = [switchable('a'), switchable('b')];
    let reads = 0;
    const clock = new ManualClock();
    const counting = {
      ...clock,
      monotonicMs: () => {
        reads += 1;
        return clock.monotonicMs();
      },
    };
    const { submit } = rig({ killSwitch: first, lease: second, clock: counting });
    submit.trySubmit('a');
    expect([reads, first.asked, second.asked]).toEqual([1, [clock.monotonicMs()], [clock.monotonicMs()]]);
  });

  it('without a submission timeout no timer is set for an order, with one a single timer serves all', () => {
    let timers = 0;
    const clock = new ManualClock();
    const counting = {
      ...clock,
      setTimer: (delayMs: number, fire: () => void) => {
        timers += 1;
        return clock.setTimer(delayMs, fire);
      },
    };
    const without = rig({ clock: counting }).submit;
    for (let index = 0; index < 100; index += 1) without.trySubmit('a');
    expect(timers).toBe(0);
    const bounded = rig({ clock: counting, submissionTimeoutMs: 1_000 }).submit;
    for (let index = 0; index < 100; index += 1) bounded.trySubmit('a');
    expect(timers).toBe(1);
  });

  it('a longer brokerTimeoutMs is what a drain must cover', () => {
    const { gate } = rig({ brokerTimeoutMs: 5_000 });
    guardOrderSubmission(() => 1, { gate, brokerTimeoutMs: 2_000 });
    expect(gate.status().longestBrokerTimeoutMs).toBe(5_000);
  });
});
