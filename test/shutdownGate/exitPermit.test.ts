/** What a hook of the shutdown may still do through the door with its permit, and what nobody may. */
import { describe, expect, it } from 'vitest';
import type { IntentKind } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { GuardEvent } from '../../src/shutdownGate/options.js';
import type { ExitPermit } from '../../src/shutdownGate/protocol.js';
import { refusalOf, switchable } from './support.js';

const PROOF = { account: 'a', symbol: 's', side: 'sell', quantity: 1, position: 10, positionAgeMs: 0 } as const;
const INTENTS: readonly IntentKind[] = ['increase', 'reduce', 'cancel'];

function scene() {
  const gate = createShutdownGate();
  const sent: IntentKind[] = [];
  const killSwitch = switchable('killSwitch');
  const submit = guardOrderSubmission((intent: IntentKind) => void sent.push(intent), {
    gate,
    killSwitch,
    intent: (intent) => intent,
    verifyReduce: () => PROOF,
  });
  const admitted = (permit: ExitPermit) => INTENTS.map((intent) => submit.under(permit).trySubmit(intent).ok);
  return { gate, sent, submit, killSwitch, admitted };
}

describe('exit permit', () => {
  it('S1, S10: with an issued permit cancels and reductions pass a shut gate, and nothing that adds risk does', () => {
    const { gate, sent, submit, admitted } = scene();
    const permit = gate.protocol.issueExitPermit();
    gate.requestShutdown('stop');
    expect(admitted(permit)).toEqual([false, true, true]);
    expect(INTENTS.map((intent) => submit.trySubmit(intent).ok)).toEqual([false, false, false]);
    expect(sent).toEqual(['reduce', 'cancel']);
  });

  it('S1: one that nobody issued here, or that was revoked, opens nothing; one of another gate does where it was adopted', () => {
    const { gate, admitted, sent } = scene();
    const other = createShutdownGate().protocol.issueExitPermit();
    const revoked = gate.protocol.issueExitPermit();
    gate.protocol.revokeExitPermit(revoked);
    gate.requestShutdown('stop');
    for (const permit of [other, revoked, { ...other }]) expect(admitted(permit)).toEqual([false, false, false]);
    expect(sent).toEqual([]);
    gate.protocol.adoptExitPermit(other);
    expect(admitted(other)).toEqual([false, true, true]);
  });

  it('S1: while the gate is open a permit changes nothing', () => {
    const { gate, admitted, killSwitch } = scene();
    const permit = gate.protocol.issueExitPermit();
    expect(admitted(permit)).toEqual([true, true, true]);
    killSwitch.code = 'kill_switch_enabled';
    expect(admitted(permit)).toEqual([false, true, true]);
    expect(Object.isFrozen(permit)).toBe(true);
  });

  it('S1: an order that adds risk does not enter on a permit where the gate is shut between the check and the count', () => {
    const gate = createShutdownGate();
    const permit = gate.protocol.issueExitPermit();
    const lease = {
      name: 'lease',
      check: (): undefined => {
        gate.requestShutdown('in mid-check');
      },
    };
    const sent: string[] = [];
    const submit = guardOrderSubmission((id: string) => void sent.push(id), { gate, lease });
    expect(submit.under(permit).trySubmit('a')).toMatchObject({ ok: false, code: 'shutdown_requested', reason: 'in mid-check' });
    expect([sent, gate.inflight()]).toEqual([[], 0]);
  });
});

describe('what the door tells', () => {
  it('a refusal carries what the permission said, and nothing that it did not say', () => {
    const gate = createShutdownGate();
    const full = { ...refusalOf('kill_switch_enabled'), sinceWallMs: 7, retryAfterMs: 9 };
    const submit = (refusal: object) =>
      guardOrderSubmission(() => 1, { gate, permissions: [{ name: 'x', check: () => refusal as typeof full }] }).trySubmit();
    expect(submit(full)).toEqual({ ok: false, ...full });
    expect(Object.keys(submit(refusalOf('kill_switch_enabled')))).toEqual(['ok', 'code', 'source', 'reason']);
  });

  it('observers hear of a refusal with its intent; one that nobody knows counts as adding risk', () => {
    const gate = createShutdownGate();
    const events: GuardEvent[] = [];
    const observe = (event: GuardEvent) => void events.push(event);
    const options = { gate, observe, intent: (intent: IntentKind) => intent, label: () => 'mine' };
    const submit = guardOrderSubmission((_intent: IntentKind) => 1, options);
    expect(submit.trySubmit('buy' as IntentKind)).toEqual({
      ok: false,
      code: 'trading_halted',
      source: 'intent',
      reason: 'the intent of the order is not known: not one of increase, reduce, cancel',
    });
    gate.requestShutdown('stop');
    for (const intent of [...INTENTS, 'buy' as IntentKind]) submit.trySubmit(intent);
    expect(events.map((event) => (event.type === 'refused' ? [event.label, event.intent, event.refusal.code] : event.type))).toEqual([
      ['mine', 'increase', 'trading_halted'],
      ['mine', 'increase', 'shutdown_requested'],
      ['mine', 'reduce', 'shutdown_requested'],
      ['mine', 'cancel', 'shutdown_requested'],
      ['mine', 'increase', 'shutdown_requested'],
    ]);
  });

  it('S3: a proof is asked of a reduction alone', () => {
    const asked: IntentKind[] = [];
    const submit = guardOrderSubmission((_intent: IntentKind) => 1, {
      gate: createShutdownGate(),
      intent: (intent) => intent,
      verifyReduce: (intent) => {
        asked.push(intent);
        return PROOF;
      },
    });
    for (const intent of INTENTS) expect(submit.trySubmit(intent).ok).toBe(true);
    expect(asked).toEqual(['reduce']);
  });

  it('S3: a proof or a clock that fails is told by its words', () => {
    const gate = createShutdownGate();
    const clock = (monotonicMs: () => number) => ({ ...gate.clock, monotonicMs });
    const broken = () => {
      throw new Error('no clock');
    };
    const reasonOf = (options: object) => guardOrderSubmission(() => 1, { gate, ...options }).trySubmit();
    expect(reasonOf({ clock: clock(broken) })).toMatchObject({ source: 'order_door', reason: 'the door itself failed: no clock' });
    expect(reasonOf({ clock: clock(() => Number.NaN) })).toMatchObject({ source: 'order_door', reason: 'the clock of the door reads NaN' });
  });
});
