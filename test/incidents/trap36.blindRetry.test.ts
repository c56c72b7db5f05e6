import { expect, it } from 'vitest';
import { OrderOutcomeUnknownError } from '../../src/shutdownGate/errors.js';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';
import { ManualClock } from '../../src/testing/manualClock.js';
import { openCall } from '../shutdownGate/support.js';

it('trap 36, S2: after a timeout nothing is sent again; the outcome stays unknown until a query resolves it', async () => {
  const clock = new ManualClock();
  const gate = createShutdownGate({ clock });
  const venue = new Map<string, string>();
  let sent = 0;
  const call = openCall<string>();
  const submit = guardOrderSubmission(
    (id: string) => {
      sent += 1;
      venue.set(id, 'filled');
      return call.promise;
    },
    { gate, label: (id) => id, submissionTimeoutMs: 1_000 },
  );
  const told = submit('order-1').then(
    () => undefined,
    (error: unknown) => error,
  );
  await clock.advance(1_000);
  const error = await told;
  if (!(error instanceof OrderOutcomeUnknownError)) throw new Error('the caller was not told');
  await clock.advance(60_000);
  call.reject(new Error('socket hang up'));
  expect(await error.settled).toMatchObject({ outcome: 'unknown' });
  expect([sent, gate.inflight(), gate.unknownOutcomes()]).toEqual([1, 0, 1]);
  expect((await gate.waitForInflightZero()).unfinished).toMatchObject([{ label: 'order-1', state: 'unknown' }]);

  const found = venue.get(error.label) === 'filled' ? 'acknowledged' : 'refused';
  expect(gate.resolve(error.entryId, found, { by: 'venue query' })).toBe('resolved');
  expect([sent, gate.unknownOutcomes()]).toEqual([1, 0]);
});
