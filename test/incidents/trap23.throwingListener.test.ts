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
