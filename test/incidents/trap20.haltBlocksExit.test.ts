import { expect, it } from 'vitest';
import { type Permission, REFUSAL_CODES } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { openCall, refusalOf } from '../shutdownGate/support.js';

it('trap 20, S10: no halt, lapsed lease, tripped breaker or broken permission blocks cancels or status reads', async () => {
  const gate = createShutdownGate();
  const held = openCall<string>();
  const permissions: Permission[] = [
    ...REFUSAL_CODES.slice(1).map((code) => ({ name: code, check: () => refusalOf(code) })),
    {
      name: 'broken',
      check: () => {
        throw new Error('no contact');
      },
    },
  ];
  const cancel = guardOrderSubmission((id: string) => (id === 'held' ? held.promise : Promise.resolve(`cancelled ${id}`)), {
    gate,
    permissions,
    intent: 'cancel',
  });
  const open = guardOrderSubmission((id: string) => id, { gate, permissions });
  expect(open.trySubmit('new').ok).toBe(false);
  expect(await cancel('a')).toBe('cancelled a');
  const admission = cancel.trySubmit('held');
  expect(admission.ok).toBe(true);
  expect(gate.status()).toMatchObject({ requested: false, inflight: 1, unknownOutcomes: 0 });
  expect((await gate.waitForInflightZero({ timeoutMs: 0 })).unfinished).toHaveLength(1);

  // A shutdown is another matter: it ends everything that holds no permit to exit, and still answers status reads.
  gate.requestShutdown('SIGTERM');
  expect(cancel.trySubmit('b')).toMatchObject({ ok: false, code: 'shutdown_requested' });
  expect(gate.status()).toMatchObject({ requested: true, inflight: 1 });
});

it('trap 20, S10: a halted system admits a verified reduction', () => {
  const gate = createShutdownGate();
  const killSwitch: Permission = {
    name: 'state',
    check: (_nowMs, intent) => (intent === 'increase' ? refusalOf('trading_halted') : undefined),
  };
  const submit = guardOrderSubmission((quantity: number) => quantity, {
    gate,
    killSwitch,
    intent: (quantity) => (quantity < 0 ? 'reduce' : 'increase'),
    verifyReduce: (quantity) => ({ account: 'main', symbol: 'AAPL', side: 'sell', quantity: -quantity, position: 5, positionAgeMs: 20 }),
  });
  expect(submit.trySubmit(1)).toMatchObject({ ok: false, code: 'trading_halted' });
  expect(submit.trySubmit(-6)).toMatchObject({ ok: false, code: 'not_reducing', maxQuantity: 5 });
  expect(submit.trySubmit(-5).ok).toBe(true);
});
