/** What a hook of the shutdown may still do through the door with its permit, and what nobody may. */
import { describe, expect, it } from 'vitest';
import type { IntentKind } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import type { ExitPermit } from '../../src/shutdownGate/protocol.js';
import { switchable } from './support.js';

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
