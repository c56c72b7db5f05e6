import { ConstantBackoff, handleAll, retry } from 'cockatiel';
import CircuitBreaker from 'opossum';
import { expect, it } from 'vitest';
import { createShutdownGate } from '../../src/shutdownGate/gate.js';
import { guardOrderSubmission } from '../../src/shutdownGate/guard.js';

it('trap 23, S13: a throwing listener neither makes a filled order look rejected nor lets a retry send it again', async () => {
  let sent = 0;
  const submit = guardOrderSubmission(
    async () => {
      sent += 1;
      return 'filled';
    },
    {
      gate: createShutdownGate(),
      observe: () => {
        throw new Error('metrics are down');
      },
    },
  );
  let outcome = 'none';
  for (let attempt = 0; attempt < 4 && outcome !== 'filled'; attempt += 1) outcome = await submit().catch(() => 'rejected');
  expect([outcome, sent]).toEqual(['filled', 1]);
});

it('trap 23: with opossum a throwing listener makes a filled order look rejected', async () => {
  let sent = 0;
  const breaker = new CircuitBreaker(
    async () => {
      sent += 1;
      return 'filled';
    },
    { timeout: false },
  );
  breaker.on('success', () => {
    throw new Error('metrics are down');
  });
  await expect(breaker.fire()).rejects.toThrow('metrics are down');
  expect(sent).toBe(1);
  breaker.shutdown();
});

it('trap 23: with cockatiel a retry around a throwing listener sends a filled order four times', async () => {
  let sent = 0;
  const again = retry(handleAll, { maxAttempts: 3, backoff: new ConstantBackoff(1) });
  const breaker = new CircuitBreaker(
    async () => {
      sent += 1;
      return 'filled';
    },
    { timeout: false, volumeThreshold: 100 },
  );
  breaker.on('success', () => {
    throw new Error('metrics are down');
  });
  await expect(again.execute(() => breaker.fire())).rejects.toThrow('metrics are down');
  expect(sent).toBe(4);
  breaker.shutdown();
});
