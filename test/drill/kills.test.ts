/** The drill on real processes and real bars: whoever dies, and however, the book ends flat. */
import { describe, expect, it } from 'vitest';
import { FAULTS, KILLS } from '../../src/drill/options.js';
import { type DrillRun, OLD_PANIC_SCALE, runDrill, SPEED_OF_THE_EXIT, shown } from './runDrill.js';

const TIMEOUT_MS = 90_000;

function expectFlat(run: DrillRun): void {
  const red = run.document.checks.filter((check) => !check.passed && (check.related || !SPEED_OF_THE_EXIT.includes(check.id)));
  expect(red, shown(run)).toEqual([]);
  expect([0, 1]).toContain(run.code);
  expect(run.document).toMatchObject({
    positionsAfter: 0,
    openOrdersAfter: 0,
    tradingState: 'HALTED',
    ordersAfterHalt: 0,
    exposureIncreasedByExit: 0,
    closedTwice: 0,
    panics: 1,
    incidents: 1,
  });
}

describe('the drill', () => {
  it.each(KILLS)('S1 S4 S5 S6 S9 L2 L7: --kill %s ends in a flat book', { timeout: TIMEOUT_MS }, async (kill) => {
    const run = await runDrill('--kill', kill);
    expectFlat(run);
    expect(run.document.positionsAtKill).toBe(10);
    expect(run.document.flatVerdict).toBe('flat');
    expect(run.document.ordersAttemptedAfterHalt).toBeGreaterThanOrEqual(20);
  });

  it.each(['brain', 'worker'])(
    'S4 S9: --kill %s --signal SIGSTOP ends in a flat book, also when the process wakes up',
    { timeout: TIMEOUT_MS },
    async (kill) => {
      expectFlat(await runDrill('--kill', kill, '--signal', 'SIGSTOP'));
    },
  );

  it.each(FAULTS)('the intact system survives --fault %s', { timeout: TIMEOUT_MS }, async (fault) => {
    expectFlat(await runDrill('--fault', fault, ...(fault === 'old-panic' ? ['--scale', String(OLD_PANIC_SCALE)] : [])));
  });

  it('S8: --no-fault stays quiet, and the same processes panic when the brain is then killed', { timeout: TIMEOUT_MS }, async () => {
    const run = await runDrill('--no-fault');
    expectFlat(run);
    expect(run.document.checks.find((check) => check.id === 'S8')).toMatchObject({ passed: true, related: false });
  });
});
