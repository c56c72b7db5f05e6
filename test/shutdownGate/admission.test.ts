/** What the order door tells of each order that it lets in or refuses, and the stop that comes while it asks. */
import { describe, expect, it } from 'vitest';
import type { Permission } from '../../src/permission.js';
import { OrderOutcomeUnknownError, OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { GuardEvent, GuardOptions } from '../../src/shutdownGate/options.js';
import type { ReduceProof } from '../../src/shutdownGate/reductions.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall, refusalOf, settled, switchable } from './support.js';

const PROOF: ReduceProof = { account: 'a', symbol: 's', side: 'sell', quantity: 1, position: 2, positionAgeMs: 0 };

function door(options: GuardOptions<[string]> = {}) {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const events: GuardEvent[] = [];
  const sent: string[] = [];
  const observe = (event: GuardEvent): void => void events.push(event);
  const submit = guardOrderSubmission((order: string) => sent.push(order), { gate, label: (order) => order, observe, ...options });
  return { clock, gate, events, sent, submit };
}

const answering = (check: () => unknown): Permission => ({ name: 'asked', check: check as Permission['check'] });

describe('a refusal', () => {
  it('says what the permission said, and nothing that it left out', () => {
    const bare = door({ permissions: [answering(() => refusalOf('lease_expired'))] }).submit.trySubmit('a');
    expect(Object.entries(bare)).toEqual([
      ['ok', false],
      ['code', 'lease_expired'],
      ['source', 'test'],
      ['reason', 'says lease_expired'],
    ]);
    const full = { ...refusalOf('lease_expired'), sinceWallMs: 7, retryAfterMs: 500 };
    expect(door({ permissions: [answering(() => full)] }).submit.trySubmit('a')).toStrictEqual({ ok: false, ...full });
    const tooMuch = door({ intent: 'reduce', verifyReduce: () => ({ ...PROOF, quantity: 3 }) }).submit.trySubmit('a');
    expect(tooMuch).toMatchObject({ code: 'not_reducing', maxQuantity: 2 });
  });

  it('is an error with the same words', () => {
    const bare = new OrderRefusedError(refusalOf('lease_expired'));
    expect(Object.keys(bare).toSorted()).toEqual(['code', 'name', 'reason', 'source']);
    const full = { ...refusalOf('lease_expired'), sinceWallMs: 7, retryAfterMs: 500, maxQuantity: 2 };
    expect(new OrderRefusedError(full)).toMatchObject({ ...full, message: 'order refused (lease_expired) by test: says lease_expired' });
  });

  it.each<[string, () => unknown, string]>([
    ['null', () => null, 'its check answered something that is neither a refusal nor undefined'],
    ['false', () => false, 'its check answered something that is neither a refusal nor undefined'],
    ['an object without a code', () => ({}), 'its check answered something that is neither a refusal nor undefined'],
    ['a code that nobody knows', () => ({ code: 'fine' }), 'its check answered something that is neither a refusal nor undefined'],
    ['a code that is no text', () => ({ code: 5 }), 'its check answered something that is neither a refusal nor undefined'],
    ['a promise', () => Promise.reject(new Error('x')), 'its check answered something that is neither a refusal nor undefined'],
    [
      'an error',
      () => {
        throw new Error('redis');
      },
      'its check threw: redis',
    ],
  ])('S3: of a permission that gives %s is a doubt about it', async (_what, check, reason) => {
    const { submit, sent } = door({ permissions: [answering(check)] });
    expect(submit.trySubmit('a')).toEqual({ ok: false, code: 'trading_halted', source: 'asked', reason });
    await settled();
    expect(sent).toEqual([]);
  });

  it.each([{ source: 'x' }, { reason: 'y' }, { source: 1, reason: 2 }])('with half of its words is the permission’s own (%j)', (words) => {
    const { submit } = door({ permissions: [answering(() => ({ code: 'lease_expired', ...words }))] });
    expect(submit.trySubmit('a')).toEqual({ ok: false, code: 'lease_expired', source: 'asked', reason: 'no reason given' });
  });

  it('S3: of an intent that nobody knows, or of a clock that reads none, says so', () => {
    const unknown = door({ intent: (() => 'sell') as never });
    const reason = 'the intent of the order is not known: not one of increase, reduce, cancel';
    expect(unknown.submit.trySubmit('a')).toMatchObject({ source: 'intent', reason });
    expect(unknown.events).toEqual([
      { type: 'refused', label: 'a', intent: 'increase', refusal: { code: 'trading_halted', source: 'intent', reason } },
    ]);
    unknown.gate.requestShutdown('stop');
    unknown.submit.trySubmit('b');
    expect(unknown.events[1]).toMatchObject({ type: 'refused', label: 'b', intent: 'increase', refusal: { code: 'shutdown_requested' } });
    const clock = new ManualClock();
    const reading = (monotonicMs: () => number) => door({ clock: { ...clock, monotonicMs } }).submit.trySubmit('a');
    expect(reading(() => Number.NaN)).toMatchObject({ source: 'order_door', reason: 'the clock of the door reads NaN' });
    const throws = (): number => {
      throw new Error('no clock');
    };
    expect(reading(throws)).toMatchObject({ source: 'order_door', reason: 'the door itself failed: no clock' });
  });
});

describe('what the door tells', () => {
  it('of each intent as it is, and of the end with what came of it', async () => {
    for (const intent of ['increase', 'reduce', 'cancel'] as const) {
      const { submit, events, gate, clock } = door({ intent, verifyReduce: () => PROOF });
      const order = submit('a');
      expect(events).toEqual([{ type: 'admitted', entryId: 1, label: 'a', intent }]);
      await clock.advance(5);
      expect(await order).toBe(1);
      expect(events[1]).toMatchObject({ type: 'settled', entryId: 1, label: 'a', settled: { outcome: 'acknowledged', value: 1 } });
      gate.requestShutdown('stop');
      submit.trySubmit('b');
      expect(events[2]).toMatchObject({ type: 'refused', label: 'b', intent, refusal: { code: 'shutdown_requested' } });
    }
  });

  it('of an order that nobody names, or whose name cannot be told, by a name of its own', () => {
    const throws = () => {
      throw new Error('no id');
    };
    const gate = createShutdownGate();
    const hangs = () => new Promise(() => undefined);
    void guardOrderSubmission(hangs, { gate })();
    void guardOrderSubmission(hangs, { gate, label: throws })();
    expect(gate.protocol.unfinished().map(({ label }) => label)).toEqual(['order', 'order']);
  });

  it('of an order without an answer that it must be queried', async () => {
    const clock = new ManualClock();
    const submit = guardOrderSubmission(() => openCall<string>().promise, {
      gate: createShutdownGate({ clock }),
      label: () => 'a',
      submissionTimeoutMs: 100,
    });
    const end = submit().catch((error: unknown) => error);
    await clock.advance(100);
    expect(await end).toBeInstanceOf(OrderOutcomeUnknownError);
    expect(await end).toMatchObject({ message: 'the outcome of order a is unknown after 100 ms: query it, do not send it again' });
  });

  it('a proof is asked for with a reduction alone', () => {
    let asked = 0;
    const verifyReduce = () => {
      asked += 1;
      return PROOF;
    };
    for (const intent of ['increase', 'cancel'] as const) door({ intent, verifyReduce }).submit.trySubmit('a');
    expect(asked).toBe(0);
    expect(door({ intent: 'reduce', verifyReduce }).submit.trySubmit('a').ok).toBe(true);
    expect(asked).toBe(1);
  });
});

describe('after the stop', () => {
  it('S1: a permit lets nothing pass that adds risk, or of which nobody knows what it does, whoever else refuses', () => {
    for (const [intent, killSwitchCode] of [
      ['increase', 'kill_switch_enabled'],
      ['increase', undefined],
      ['sell', undefined],
    ] as const) {
      const killSwitch = switchable('killSwitch');
      const { gate, submit, sent } = door({ intent: () => intent as 'increase', killSwitch });
      const permit = gate.protocol.issueExitPermit();
      gate.requestShutdown('stop');
      killSwitch.code = killSwitchCode;
      expect(submit.under(permit).trySubmit('a')).toMatchObject({ ok: false, code: 'shutdown_requested', reason: 'stop' });
      expect(sent).toEqual([]);
    }
  });

  it('S1: a permit that was taken back, or was never given, is told of the stop, not of what else is wrong', () => {
    const { gate, submit } = door({ intent: 'reduce' });
    const permit = gate.protocol.issueExitPermit();
    gate.requestShutdown('stop');
    expect(submit.under(permit).trySubmit('a')).toMatchObject({ code: 'not_reducing' });
    gate.protocol.revokeExitPermit(permit);
    expect(submit.under(permit).trySubmit('a')).toMatchObject({ code: 'shutdown_requested' });
    expect(submit.trySubmit('a')).toMatchObject({ code: 'shutdown_requested' });
  });
});
