import CircuitBreaker from 'opossum';
import { expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { openCall, settled, switchable } from '../shutdownGate/support.js';

it('trap 26: a late success from before the trip closes opossum’s breaker', async () => {
  const early = openCall<string>();
  const probe = openCall<string>();
  const calls = [early.promise, Promise.reject(new Error('down')), probe.promise];
  calls[1]?.catch(() => undefined);
  let sent = 0;
  const breaker = new CircuitBreaker(() => calls[sent++] ?? Promise.resolve('sent'), {
    timeout: false,
    resetTimeout: 1,
    errorThresholdPercentage: 1,
  });
  const before = breaker.fire();
  await breaker.fire().catch(() => undefined);
  expect(breaker.opened).toBe(true);
  await expect.poll(() => breaker.halfOpen).toBe(true);
  early.resolve('filled');
  await before;
  await settled();
  // Nobody has probed, and it is closed: the next orders go out to a venue that may still be down.
  expect(breaker.closed).toBe(true);
  breaker.shutdown();
});

it('trap 26, S7: at the order door a late success opens nothing', async () => {
  const breakers = switchable('breakers');
  const call = openCall<string>();
  const submit = guardOrderSubmission(() => call.promise, { gate: createShutdownGate(), breakers });
  const before = submit();
  breakers.code = 'circuit_breaker_consecutive_losses';
  call.resolve('filled');
  expect(await before).toBe('filled');
  expect(submit.trySubmit()).toMatchObject({ ok: false, code: 'circuit_breaker_consecutive_losses' });
});
