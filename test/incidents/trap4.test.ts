/** A watchdog that its supervisor restarts again and again told of one dead brain 16 times, as 16 incidents. */
import { expect, it } from 'vitest';
import type { AppendOutcome } from '../../src/bus/bus.js';
import { PANIC_CLOSE } from '../../src/messages/panicClose.js';
import { faultyBus, HandBrain, scene } from '../watchdog/scene.js';

it('trap 4, S9: a dead brain and a watchdog restarted 16 times make one panic, one incident and one alert key', async () => {
  const s = scene('trap4');
  await s.arm({ services: ['brain'] });
  await new HandBrain(s.newHandle()).beat({ activePositions: 1 });
  for (let life = 0; life < 16; life += 1) {
    const watchdog = s.watchdog();
    await s.clock.advance(5_500);
    const closed = watchdog.close();
    await s.clock.advance(300);
    await closed;
  }
  const panics = await s.panics();
  expect(await s.firstPanics()).toHaveLength(1);
  expect(new Set(panics.map((panic) => panic.eventId)).size).toBe(1);
  // Nobody works for the account and nobody answers: people hear of that as well, each under one key.
  expect(new Set(s.alerts.map((alert) => `${alert.kind}/${alert.incident}`))).toEqual(
    new Set(['watchdog.panic/default@1', 'watchdog.panic_unanswered/default@1', 'exit.no_worker/default@1']),
  );
  expect(s.alerts.filter((alert) => alert.kind === 'watchdog.panic')).toHaveLength(1);
  // Nobody answered: every life has sent it again.
  expect(panics.length).toBeGreaterThan(16);
  await s.end();
});

it('trap 4, S9: two watchdogs that see the same death in the same moment make one panic', async () => {
  const s = scene('trap4 at once');
  await s.arm({ services: ['brain'] });
  await new HandBrain(s.newHandle()).beat({ activePositions: 1 });
  // Neither sees the panic of the other before it has sent its own.
  const append = async (stream: string, pass: () => Promise<AppendOutcome>) => {
    if (stream === PANIC_CLOSE) await s.clock.sleep(50);
    return pass();
  };
  for (let count = 0; count < 2; count += 1) s.watchdog({ bus: faultyBus(s.newHandle(), { append }) });
  await s.clock.advance(3_500);
  expect(s.alerts.filter((alert) => alert.kind === 'watchdog.panic')).toHaveLength(2);
  expect(await s.firstPanics()).toHaveLength(1);
  await s.end();
});
