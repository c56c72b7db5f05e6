/** Processes that stand still instead of dying, and a drill in which nothing happens until the end. */
import { describe, expect, it } from 'vitest';
import { expectFlat } from './expectFlat.js';
import { runDrill } from './runDrill.js';

const TIMEOUT_MS = 90_000;

describe('the drill', () => {
  it.each(['brain', 'worker'])(
    'S4 S9: --kill %s --signal SIGSTOP ends in a flat book, also when the process wakes up',
    { timeout: TIMEOUT_MS },
    async (kill) => {
      expectFlat(await runDrill('--kill', kill, '--signal', 'SIGSTOP'));
    },
  );

  it('S8: --no-fault stays quiet, and the same processes panic when the brain is then killed', { timeout: TIMEOUT_MS }, async () => {
    const run = await runDrill('--no-fault');
    expectFlat(run);
    expect(run.document.checks.find((check) => check.id === 'S8')).toMatchObject({ passed: true, related: false });
  });
});
