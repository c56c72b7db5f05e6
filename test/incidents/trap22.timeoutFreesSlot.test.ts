import CircuitBreaker from 'opossum';
import { expect, it } from 'vitest';
import { OrderOutcomeUnknownError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall } from '../shutdownGate/support.js';

it('trap 22, S2: an order that fills after its caller timed out was never off the books', async () => {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const call = openCall<string>();
  const submit = guardOrderSubmission(() => call.promise, { gate, label: () => 'order-1', submissionTimeoutMs: 2_000 });
  const told = submit().then(
    () => undefined,
    (error: unknown) => error,
  );
  await clock.advance(2_000);
  const error = await told;
  gate.requestShutdown('SIGTERM');
  const drain = gate.waitForInflightZero({ timeoutMs: 8_000 });
  await clock.advance(3_000);
  expect(gate.inflight()).toBe(1);
  call.resolve('filled');
  expect(await drain).toMatchObject({ drained: true, waitedMs: 3_000, unfinished: [] });
  expect(error).toBeInstanceOf(OrderOutcomeUnknownError);
  if (error instanceof OrderOutcomeUnknownError) expect(await error.settled).toEqual({ outcome: 'acknowledged', value: 'filled' });
});

it('trap 22: opossum’s timeout frees the slot of an order that then fills', async () => {
  const calls = [openCall<string>(), openCall<string>()];
  let sent = 0;
  const breaker = new CircuitBreaker(() => calls[sent++]?.promise ?? Promise.reject(new Error('one too many')), {
    timeout: 20,
    capacity: 1,
    errorThresholdPercentage: 100,
    volumeThreshold: 100,
  });
  const first = breaker.fire();
  await expect(breaker.fire()).rejects.toMatchObject({ code: 'ESEMLOCKED' });
  await expect(first).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  // The only slot is free again, with the first order still on its way: the second is sent beside it.
  const second = breaker.fire();
  expect(sent).toBe(2);
  calls.forEach((call, index) => call.resolve(`filled ${index + 1}`));
  expect(await second).toBe('filled 2');
  breaker.shutdown();
});
