import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { functionSource } from '../../src/killSwitch/functionSource.js';
import { createKillSwitch } from '../../src/killSwitch/killSwitch.js';
import type { Permission } from '../../src/permission.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { settled } from '../shutdownGate/support.js';

it('trap 30: after a stall of the event loop the first microtask is refused, though the timer that would say so has not run', async () => {
  const clock = new ManualClock();
  const startedMs = clock.monotonicMs();
  // A lease that knows until when it holds, beside a flag that a timer would set.
  let flagSaysExpired = false;
  clock.setTimer(750, () => {
    flagSaysExpired = true;
  });
  const lease: Permission = {
    name: 'lease',
    check: (nowMs) => (nowMs >= startedMs + 750 ? { code: 'lease_expired', source: 'lease', reason: 'not renewed' } : undefined),
  };
  const sent: string[] = [];
  const submit = guardOrderSubmission((order: string) => void sent.push(order), { gate: createShutdownGate({ clock }), lease });
  expect(submit.trySubmit('before').ok).toBe(true);

  const seen: unknown[] = [];
  const stall = clock.stall(1_500);
  queueMicrotask(() => seen.push(flagSaysExpired, submit.trySubmit('after')));
  await Promise.resolve();
  expect(seen).toEqual([false, expect.objectContaining({ ok: false, code: 'lease_expired' })]);
  await stall;
  await settled();
  expect([sent, flagSaysExpired]).toEqual([['before'], true]);
});

it('trap 30: a flag that an interval reads is stale after a real stall, and a lease on the same source is not', async () => {
  const source = { untilMs: systemClock.monotonicMs() + 200 };
  const isLapsed = (nowMs: number): boolean => nowMs >= source.untilMs;
  let flagSaysLapsed = isLapsed(systemClock.monotonicMs());
  const poll = setInterval(() => (flagSaysLapsed = isLapsed(systemClock.monotonicMs())), 20);
  const lease: Permission = {
    name: 'lease',
    check: (nowMs) => (isLapsed(nowMs) ? { code: 'lease_expired', source: 'lease', reason: 'not renewed' } : undefined),
  };
  const sent: string[] = [];
  const byFlag = (order: string): void => {
    if (!flagSaysLapsed) sent.push(order);
  };
  const submit = guardOrderSubmission((order: string) => void sent.push(order), { gate: createShutdownGate(), lease });
  try {
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        while (!isLapsed(systemClock.monotonicMs())) continue;
        queueMicrotask(() => {
          byFlag('by the flag');
          expect(submit.trySubmit('by the lease')).toMatchObject({ ok: false, code: 'lease_expired' });
          resolve();
        });
      }, 0);
    });
    expect([sent, flagSaysLapsed]).toEqual([['by the flag'], false]);
  } finally {
    clearInterval(poll);
  }
});

it('trap 30: time that the caller takes to label and prove its order counts too', () => {
  const clock = new ManualClock();
  const untilMs = clock.monotonicMs() + 750;
  const lease: Permission = {
    name: 'lease',
    check: (nowMs) => (nowMs >= untilMs ? { code: 'lease_expired', source: 'lease', reason: 'not renewed' } : undefined),
  };
  const slow = {
    label: (): string => {
      void clock.stall(1_000);
      return 'slow';
    },
  };
  const submit = guardOrderSubmission(() => 1, { gate: createShutdownGate({ clock }), lease, ...slow });
  expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'lease_expired' });
});

it('trap 30: the first microtask after a stall finds a kill switch stale, before any poll or timer has run', async () => {
  const clock = new ManualClock();
  const killSwitch = createKillSwitch({ sources: [functionSource(() => false, { name: 'desk' })], clock });
  await clock.advance(0);
  const sent: string[] = [];
  const submit = guardOrderSubmission((order: string) => void sent.push(order), { gate: createShutdownGate({ clock }), killSwitch });
  expect(submit.trySubmit('before').ok).toBe(true);
  const seen: unknown[] = [];
  const stall = clock.stall(1_500);
  queueMicrotask(() => seen.push(killSwitch.isHalted(), submit.trySubmit('after')));
  await Promise.resolve();
  expect(seen).toEqual([
    true,
    expect.objectContaining({ ok: false, code: 'kill_switch_enabled', reason: expect.stringContaining('1500 ms ago') as unknown }),
  ]);
  await stall;
  await settled();
  expect(sent).toEqual(['before']);
  expect(submit.trySubmit('later').ok).toBe(true);
  await killSwitch.close();
});

it('trap 30: an answer that had come before the stall is as old as its question', async () => {
  const clock = new ManualClock();
  const answers: ((halted: boolean) => void)[] = [];
  const ask = () => new Promise<boolean>((resolve) => answers.push(resolve));
  const killSwitch = createKillSwitch({ sources: [functionSource(ask, { name: 'desk' })], clock });
  await Promise.resolve();
  const stall = clock.stall(1_500);
  answers[0]?.(false);
  await settled();
  expect(killSwitch.isHalted()).toBe(true);
  await stall;
  await killSwitch.close();
});
