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
  expect(await drain).toEqual({ drained: true, waitedMs: 3_000, unfinished: [] });
  expect(error).toBeInstanceOf(OrderOutcomeUnknownError);
  if (error instanceof OrderOutcomeUnknownError) expect(await error.settled).toEqual({ outcome: 'acknowledged', value: 'filled' });
});
