import { expect, it } from 'vitest';
import { type Clock, systemClock, type TimerOptions } from '../../src/clock.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';

it('trap 29, S2: a drain holds the process by a timer of its own until it ends, and lets go then', async () => {
  const timers: { options: TimerOptions | undefined; cancelled: boolean }[] = [];
  const clock: Clock = {
    ...systemClock,
    setTimer: (delayMs, fire, options) => {
      const timer = systemClock.setTimer(delayMs, fire, options);
      const seen = { options, cancelled: false };
      timers.push(seen);
      return {
        cancel: () => {
          seen.cancelled = true;
          timer.cancel();
        },
      };
    },
  };
  const active = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const gate = createShutdownGate({ clock });
  const permit = gate.tryEnter('a');
  const before = active();
  const drain = gate.waitForInflightZero({ timeoutMs: 60_000 });
  expect(active()).toBe(before + 1);
  expect(timers).toEqual([{ options: { keepAlive: true }, cancelled: false }]);
  if (permit.ok) permit.settle('acknowledged');
  expect((await drain).drained).toBe(true);
  expect(timers[0]?.cancelled).toBe(true);
  expect(active()).toBe(before);
});
