import { expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { switchable } from '../shutdownGate/support.js';

it('trap 52: a loop over trySubmit outlives a refusal', () => {
  const killSwitch = switchable('kill_switch');
  const sent: number[] = [];
  const submit = guardOrderSubmission((order: number) => void sent.push(order), { gate: createShutdownGate(), killSwitch });
  for (let order = 0; order < 4; order += 1) {
    killSwitch.code = order === 1 ? 'kill_switch_enabled' : undefined;
    submit.trySubmit(order);
  }
  expect(sent).toEqual([0, 2, 3]);
});

it('trap 52, S2: a permit that is never released ends the drain at its timeout, by name', async () => {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  gate.tryEnter('forgotten');
  const drain = gate.waitForInflightZero({ timeoutMs: 8_000 });
  await clock.advance(8_000);
  expect(await drain).toMatchObject({ drained: false, waitedMs: 8_000, unfinished: [{ label: 'forgotten', state: 'in_flight' }] });
});
