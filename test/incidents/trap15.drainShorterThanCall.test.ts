/** A drain of 8 s around a broker call that may take 15 s: a hung submission outlives the drain and is recorded nowhere. */
import { afterEach, describe, expect, it } from 'vitest';
import { endScripts, script } from '../process/scripts.js';

afterEach(endScripts);

describe('trap 15', () => {
  it('trap 15: L5: a drain that is shorter than a broker call is refused, whichever of them is told second', async () => {
    const child = script(`
      const refused = (call) => { try { call(); return 'taken'; } catch (error) { return error.message; } };
      const guard = () => guardOrderSubmission(() => 1, { brokerTimeoutMs: 15_000 });
      const handling = handleSignals({ drainTimeoutMs: 8_000 });
      say(refused(guard));
      handling.close();
      guard();
      say(refused(() => handleSignals({ drainTimeoutMs: 8_000 })));
      say(refused(() => handleSignals({ drainTimeoutMs: 15_500, forceAfterMs: 18_000 })));
    `);
    expect([await child.ending(), child.lines]).toEqual([
      0,
      [
        'brokerTimeoutMs = 15000: must be at most 7500: a shutdown drains for 8000 ms, and needs 500 ms of them',
        'drainTimeoutMs = 8000: must be at least 15500: a broker call may take 15000 ms, and 500 ms are needed besides',
        'taken',
      ],
    ]);
  });

  it('trap 15: S2: a submission that outlives the drain is told to the hooks and on standard error, by its label', async () => {
    const child = script(`
      handleSignals({ drainTimeoutMs: 150, forceAfterMs: 2_000 });
      onShutdown(({ report }) => say(report.unfinished.map(({ label, state }) => label + ' ' + state).join()), { name: 'record' });
      order('order-7', 60_000);
      say('ready');
    `);
    await child.line('ready');
    child.signal('SIGTERM');
    expect([await child.ending(), child.lines.at(-1)]).toEqual(['SIGTERM', 'order-7 in_flight']);
    expect(child.errors).toMatch(/^failflat: shutdown \(SIGTERM\): orders without an answer: "order-7" \(in_flight, \d+ ms\)\n$/);
  });
});
