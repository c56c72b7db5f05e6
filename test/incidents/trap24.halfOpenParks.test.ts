import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { openCall, settled, switchable } from '../shutdownGate/support.js';

it('trap 24: cockatiel’s half-open breaker parks the second order, and sends it when the probe ends', async () => {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 0, breaker: new ConsecutiveBreaker(1) });
  await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
  const probe = openCall<string>();
  const sent: string[] = [];
  const first = breaker.execute(() => probe.promise);
  const second = breaker.execute(() => sent.push('priced long ago'));
  await settled();
  expect(sent).toEqual([]);
  probe.resolve('filled');
  await Promise.all([first, second]);
  expect(sent).toEqual(['priced long ago']);
});

it('trap 24, S1: the order door refuses at once what it does not admit, and never sends it later', async () => {
  const breakers = switchable('breakers');
  const sent: string[] = [];
  const submit = guardOrderSubmission((order: string) => sent.push(order), { gate: createShutdownGate(), breakers });
  breakers.code = 'circuit_breaker_probing';
  const refused = submit('priced long ago');
  breakers.code = undefined;
  await expect(refused).rejects.toMatchObject({ code: 'circuit_breaker_probing' });
  await settled();
  expect(sent).toEqual([]);
});
