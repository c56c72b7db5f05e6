import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { afterEach, expect, it, vi } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';

const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

it('trap 25: a step of the wall clock lets an order through cockatiel’s open breaker', async () => {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: HOUR_MS, breaker: new ConsecutiveBreaker(1) });
  await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
  await expect(breaker.execute(() => 'sent')).rejects.toThrow();
  const wallMs = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(wallMs + HOUR_MS);
  expect(await breaker.execute(() => 'sent')).toBe('sent');
});

it('trap 25, S1: whatever the wall clock does, a permission is judged at the monotonic reading of the door', () => {
  const clock = new ManualClock();
  const untilMs = clock.monotonicMs() + 750;
  const lease = {
    name: 'lease',
    check: (nowMs: number) => (nowMs < untilMs ? undefined : ({ code: 'lease_expired', source: 'lease', reason: 'lapsed' } as const)),
  };
  const submit = guardOrderSubmission(() => 'sent', { gate: createShutdownGate({ clock }), lease });
  for (const stepMs of [HOUR_MS, -3 * HOUR_MS, HOUR_MS]) {
    clock.stepWall(stepMs);
    expect(submit.trySubmit().ok).toBe(true);
  }
});

it('trap 25, S1: … and what has lapsed stays so, however far the wall clock is set back', async () => {
  const clock = new ManualClock();
  const untilMs = clock.monotonicMs() + 750;
  const lease = {
    name: 'lease',
    check: (nowMs: number) => (nowMs < untilMs ? undefined : ({ code: 'lease_expired', source: 'lease', reason: 'lapsed' } as const)),
  };
  const submit = guardOrderSubmission(() => 'sent', { gate: createShutdownGate({ clock }), lease });
  await clock.advance(751);
  clock.stepWall(-HOUR_MS);
  expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'lease_expired' });
});
