import { expect, it } from 'vitest';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { runOver, runWork } from '../../src/process/runUntilShutdown.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { Scene } from '../process/support.js';
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

it('trap 52: a loop over trySubmit outlives a kill switch that is thrown and released; one that requires it off does not', async () => {
  const clock = new ManualClock();
  let halted = false;
  const killSwitch = createKillSwitch({ sources: [functionSource(() => halted)], clock });
  await clock.advance(0);
  const sent: number[] = [];
  const submit = guardOrderSubmission((order: number) => void sent.push(order), { gate: createShutdownGate({ clock }), killSwitch });
  const required: number[] = [];
  const bare = async () => {
    for (let order = 0; order < 4; order += 1) {
      killSwitch.requireOff('order');
      required.push(order);
      await clock.sleep(100);
    }
  };
  const ended = bare().catch((error: unknown) => error);
  for (let order = 0; order < 4; order += 1) {
    submit.trySubmit(order);
    halted = order === 0;
    await clock.advance(100);
  }
  expect([sent, required, await ended]).toEqual([[0, 2, 3], [0], expect.objectContaining({ code: 'kill_switch_enabled' })]);
  await killSwitch.close();
});

it('trap 52: a bare await of a refused order ends neither a loop over items nor one of ticks', async () => {
  const scene = new Scene();
  const place = () => ({ clock: scene.clock, signal: scene.gate.signal, owner: scene.owner });
  const killSwitch = switchable('kill_switch');
  const sent: number[] = [];
  const submit = guardOrderSubmission((order: number) => void sent.push(order), { gate: scene.gate, killSwitch });
  const send = async (order: unknown): Promise<void> => {
    killSwitch.code = order === 1 ? 'kill_switch_enabled' : undefined;
    await submit(Number(order));
  };
  const items = runOver(place, [0, 1, 2, 3], send, {});
  await scene.clock.advance(0);
  expect([await items, sent]).toEqual([{ endedBy: 'itself' }, [0, 2, 3]]);
  let tick = 0;
  const ticks = runWork(place, () => send(tick++), { everyMs: 10 });
  await scene.clock.advance(39);
  scene.gate.requestShutdown('SIGTERM');
  await scene.clock.advance(0);
  expect([await ticks, sent]).toEqual([{ endedBy: 'shutdown' }, [0, 2, 3, 0, 2, 3]]);
});
