import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileSource } from '../../src/killSwitch/fileSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { settled, switchable } from '../shutdownGate/support.js';
import { eventually } from '../support/eventually.js';
import { temporaryDirectory } from '../support/temporaryDirectory.js';

it('trap 13: a kill switch that flips between a check outside and the submission lets nothing through', async () => {
  const killSwitch = switchable('kill_switch');
  const sent: string[] = [];
  const send = async (order: string): Promise<string> => {
    sent.push(order);
    return order;
  };
  const flip = (): void => {
    killSwitch.code = 'kill_switch_enabled';
  };

  // As the originals did it: look at the switch, prepare the order, send.
  const checked = killSwitch.check(0, 'increase') === undefined;
  queueMicrotask(flip);
  await settled();
  if (checked) await send('unguarded');
  expect(sent).toEqual(['unguarded']);

  killSwitch.code = undefined;
  const submit = guardOrderSubmission(send, { gate: createShutdownGate(), killSwitch });
  queueMicrotask(flip);
  await settled();
  expect(submit.trySubmit('guarded')).toMatchObject({ ok: false, code: 'kill_switch_enabled' });

  // And where the flip comes right after the check, the call has already been made: no step lies between them.
  killSwitch.code = undefined;
  queueMicrotask(flip);
  void submit('in the same step');
  expect([sent, killSwitch.code]).toEqual([['unguarded', 'in the same step'], undefined]);
});

it('trap 13: S1: the file of a kill switch that flips between a check outside and the submission lets nothing through', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'halted');
  writeFileSync(path, '0');
  const killSwitch = createKillSwitch({ sources: [fileSource(path)] });
  await killSwitch.ready;
  const sent: string[] = [];
  const send = (order: string): void => void sent.push(order);
  const submit = guardOrderSubmission(send, { gate: createShutdownGate(), killSwitch });

  killSwitch.requireOff('broker order placement');
  // While the order is prepared somebody throws the switch.
  writeFileSync(path, '1');
  await eventually(() => killSwitch.isHalted());
  send('checked outside');
  expect(submit.trySubmit('guarded')).toMatchObject({ ok: false, code: 'kill_switch_enabled' });
  expect(sent).toEqual(['checked outside']);
  await killSwitch.close();
  rmSync(directory, { recursive: true });
});
