import { describe, expect, it } from 'vitest';
import { BrokerRejectedError } from '../../src/broker/broker.js';
import { ConfigurationError } from '../../src/errors.js';
import { OrderRefusedError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import type { GuardEvent } from '../../src/shutdownGate/options.js';
import { OrderSubmissionGuard } from '../../src/shutdownGate/orderSubmissionGuard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { switchable } from './support.js';

function scene() {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const killSwitch = switchable('killSwitch');
  const events: GuardEvent[] = [];
  const take = (label = 'a', options = {}) =>
    new OrderSubmissionGuard([killSwitch], label, { gate, observe: (event) => events.push(event), ...options });
  return { clock, gate, killSwitch, events, take };
}

describe('order submission guard', () => {
  it('S2: holds its slot until it is told the outcome, and only the first word counts', async () => {
    const { clock, gate, events, take } = scene();
    const permit = take('first');
    expect(gate.inflight()).toBe(1);
    await clock.advance(7);
    permit.acknowledged('id-1');
    permit.unknown(new Error('late'));
    permit[Symbol.dispose]();
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
    expect(events).toEqual([
      { type: 'admitted', entryId: permit.entryId, label: 'first', intent: 'increase' },
      {
        type: 'settled',
        entryId: permit.entryId,
        label: 'first',
        ageMs: 7,
        settled: { outcome: 'acknowledged', value: 'id-1' },
      },
    ]);
  });

  it('S2: disposed of without a word it leaves the outcome unknown, until somebody resolves it', async () => {
    const { gate, take } = scene();
    const permit = take('cut short');
    permit[Symbol.dispose]();
    const { drained, unfinished } = await gate.waitForInflightZero({ timeoutMs: 0 });
    expect([drained, unfinished.map(({ label, state }) => `${label} ${state}`)]).toEqual([true, ['cut short unknown']]);
    expect(gate.resolve(permit.entryId, 'refused', { by: 'ops' })).toBe('resolved');
  });

  it('S2: an error is unknown unless it says that the venue did not take the order', () => {
    const { gate, take } = scene();
    take().unknown(new BrokerRejectedError('other', 'no'));
    take().refused(new Error('not sent'));
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 0]);
    take().unknown(new Error('reset'));
    expect([gate.inflight(), gate.unknownOutcomes()]).toEqual([0, 1]);
  });

  it('S1 S3: refuses by throwing, and takes no slot', () => {
    const { gate, killSwitch, events, take } = scene();
    killSwitch.code = 'kill_switch_enabled';
    expect(() => take()).toThrow(OrderRefusedError);
    expect(() => take('r', { intent: 'reduce' })).toThrow(expect.objectContaining({ code: 'not_reducing' }));
    const proof = { account: 'a', symbol: 's', side: 'sell', quantity: 1, position: 2, positionAgeMs: 0 };
    take('r', { intent: 'reduce', proof }).acknowledged();
    take('c', { intent: 'cancel' }).acknowledged();
    gate.requestShutdown('stop');
    expect(() => take('c', { intent: 'cancel' })).toThrow(expect.objectContaining({ code: 'shutdown_requested' }));
    expect(gate.inflight()).toBe(0);
    expect(events.filter(({ type }) => type === 'refused')).toHaveLength(3);
  });

  it.each<[string, unknown, object]>([
    ['permissions', undefined, {}],
    ['permissions[0]', [undefined], {}],
    ['gate', [], { gate: {} }],
    ['lable', [], { lable: 'x' }],
    ['observe', [], { observe: 1 }],
  ])('S3: %s that cannot hold is refused by name', (field, permissions, options) => {
    const build = (): unknown => Reflect.construct(OrderSubmissionGuard, [permissions, 'a', options]);
    expect(build).toThrow(ConfigurationError);
    expect(build).toThrow(expect.objectContaining({ field }));
  });
});

describe('what a permit tells', () => {
  it('is what became of its order, with the value or the error', () => {
    const { events, take } = scene();
    const error = new Error('socket hang up');
    take('a').acknowledged('id-1');
    take('b').unknown(error);
    take('c').refused(error);
    take('d')[Symbol.dispose]();
    const settled = events.flatMap((event) => (event.type === 'settled' ? [event.settled] : []));
    expect(settled).toEqual([
      { outcome: 'acknowledged', value: 'id-1' },
      { outcome: 'unknown', error },
      { outcome: 'refused', error },
      { outcome: 'unknown', error: undefined },
    ]);
  });
});

describe('after the stop', () => {
  it('S1 S10: a hook that holds the exit permit cancels and reduces while it runs, and never increases', () => {
    const { gate, take } = scene();
    const { protocol } = gate;
    const exitPermit = protocol.issueExitPermit();
    gate.requestShutdown('stop');
    const proof = { account: 'a', symbol: 's', side: 'sell', quantity: 1, position: 2, positionAgeMs: 0 };
    take('c', { intent: 'cancel', exitPermit }).acknowledged();
    take('r', { intent: 'reduce', proof, exitPermit }).acknowledged();
    expect(() => take('i', { exitPermit })).toThrow(expect.objectContaining({ code: 'shutdown_requested' }));
    expect(() => take('r', { intent: 'reduce', exitPermit })).toThrow(expect.objectContaining({ code: 'not_reducing' }));
    const forged = { 'failflat.exitPermit': true };
    expect(() => take('c', { intent: 'cancel', exitPermit: forged })).toThrow(expect.objectContaining({ code: 'shutdown_requested' }));
    protocol.revokeExitPermit(exitPermit);
    expect(() => take('c', { intent: 'cancel', exitPermit })).toThrow(expect.objectContaining({ code: 'shutdown_requested' }));
    expect(gate.inflight()).toBe(0);
  });
});
